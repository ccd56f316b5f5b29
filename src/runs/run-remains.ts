/** What would be gone with a run if it were removed, and what speaks against that. */
import { lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { formatCount } from '../base/units.js';
import type { TaskCounts } from '../runtime/task/task.js';
import { DRY_RUN_MARK, QUEUE_FILE, type StateDir } from '../system/state-dir.js';
import { lockOf, recordedCounts } from './run-files.js';

/**
 * Why a run is to be kept.
 *
 * `held`: an executor has it; `outside`: its folder is not where it seems to be. These two hold whatever is asked for.
 * `unfinished`: tasks have not ended; `not-done`: some ended otherwise than done; `unreadable`: what it holds is not
 * known; `input`: standard input that was not read to its end; `saved`: a copy of a queue that was lost; `foreign`:
 * files that are not ours.
 */
export type KeepReason = 'held' | 'outside' | 'unfinished' | 'not-done' | 'unreadable' | 'input' | 'saved' | 'foreign';

export interface RunRemains {
  runId: string;
  /** `null`: nothing is recorded, or it cannot be read. */
  counts: TaskCounts | null;
  /** Of all its files. */
  bytes: number;
  /** When one of its files was last written, in milliseconds since the epoch; `null`: there is none. */
  touchedAt: number | null;
  /** What goes with it: folders and files, absolute. */
  paths: string[];
  /** What speaks against removing it, each with a few words; empty: nobody would miss it. */
  kept: { reason: KeepReason; why: string }[];
}

/** Files of ours that tell of a run, or serve it, and are worth nothing without it. */
const OURS =
  /^(queue\.db(-wal|-shm|-journal)?|health\.json(\.tmp)?|control\.sock(\.\d+)?|trace\.(log|ndjson)(\.\d+)?|output\.\d+\.ndjson|dry-run)$/;
const INPUT = /^input(\.partial|\.broken)?$/;
const SAVED = /^queue\.saved-\d+\.db$/;

/** Looks at a run, and changes nothing. */
export async function remainsOf(stateDir: StateDir, runId: string): Promise<RunRemains> {
  const folder = stateDir.runDir(runId);
  const remains: RunRemains = { runId, counts: null, bytes: 0, touchedAt: null, paths: [], kept: [] };
  const keep = (reason: KeepReason, why: string) => void remains.kept.push({ reason, why });
  const lock = lockOf(stateDir, runId);
  if (lock.isLocked()) {
    const holder = lock.holder();
    keep('held', holder === undefined ? 'is held' : `is held by ${printable(holder.executorId)}`);
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && (!found.isDirectory() || leadsOut(stateDir, runId))) {
    const what = found.isDirectory() || found.isSymbolicLink() ? 'a link leads out of it' : 'it is a file';
    keep('outside', `${folder} is not a folder of ${stateDir.root}: ${what}`);
    return remains;
  }
  if (found !== undefined) lookInto(folder, remains, keep);
  const saved = savedBeside(stateDir, runId);
  for (const path of [lock.path, ...saved]) note(path, remains);
  if (saved.length > 0) keep('saved', `has a saved copy of a queue that was lost (${saved.join(', ')})`);
  if (found !== undefined && !names(folder).includes(DRY_RUN_MARK)) await judgeTasks(stateDir, remains, keep);
  return remains;
}

type Keep = (reason: KeepReason, why: string) => void;

function lookInto(folder: string, remains: RunRemains, keep: Keep): void {
  remains.paths.push(folder);
  const foreign: string[] = [];
  for (const name of names(folder)) {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stat !== undefined) weigh(name, stat, remains);
    if (stat?.isDirectory()) foreign.push(printable(name));
    else if (INPUT.test(name)) keep('input', `holds standard input that was not read to its end (${name})`);
    else if (SAVED.test(name)) keep('saved', `holds a saved copy of a queue that was lost (${name})`);
    else if (!OURS.test(name)) foreign.push(printable(name));
  }
  if (foreign.length > 0) keep('foreign', `holds files that are not ours: ${foreign.join(', ')}`);
}

/** The folder that is meant, and no other: whoever put a link in its place may have meant to keep what it leads to. */
function leadsOut(stateDir: StateDir, runId: string): boolean {
  try {
    return realpathSync(stateDir.runDir(runId)) !== join(realpathSync(stateDir.root), 'runs', runId);
  } catch {
    return true;
  }
}

async function judgeTasks(stateDir: StateDir, remains: RunRemains, keep: Keep): Promise<void> {
  try {
    remains.counts = (await recordedCounts(stateDir, remains.runId)) ?? null;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    keep('unreadable', `what it holds is not known: ${error.message}`);
  }
  if (remains.counts === null) return;
  const { queued, delayed, running, failed, crashed, cancelled } = remains.counts;
  const notDone = { failed, crashed, 'timed-out': remains.counts['timed-out'], cancelled };
  const unfinished = queued + delayed + running;
  if (unfinished > 0) keep('unfinished', `${tasks(unfinished)} ${unfinished === 1 ? 'has' : 'have'} not ended`);
  const count = Object.values(notDone).reduce((sum, each) => sum + each, 0);
  if (count > 0) {
    const which = Object.entries(notDone).filter(([, each]) => each > 0);
    const states = which.map(([state, each]) => `${formatCount(each)} ${state}`).join(', ');
    keep('not-done', `${tasks(count)} did not end done (${states})`);
  }
}

function tasks(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'task' : 'tasks'}`;
}

/** Copies that were saved where the folder of the run was gone: `<run-id>.saved-1.db`. */
function savedBeside({ root }: StateDir, runId: string): string[] {
  const prefix = `${runId}.saved-`;
  return names(root)
    .filter((name) => name.startsWith(prefix) && /^\d+\.db$/.test(name.slice(prefix.length)))
    .map((name) => join(root, name));
}

function note(path: string, remains: RunRemains): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  remains.paths.push(path);
  weigh(path, stat, remains);
}

function weigh(name: string, stat: Stats, remains: RunRemains): void {
  remains.bytes += stat.isFile() ? stat.size : 0;
  // Whoever reads a queue writes there.
  const isReaders = name === `${QUEUE_FILE}-shm` || (name === `${QUEUE_FILE}-wal` && stat.size === 0);
  if (!isReaders) remains.touchedAt = Math.max(remains.touchedAt ?? 0, Math.round(stat.mtimeMs));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new HoldfastError('ERR_STATE_DIR', `cannot read ${folder}: ${(error as Error).message}`, { cause: error });
  }
}
