import { dirname } from 'node:path';
import { StateDir } from '../../system/state-dir.js';
import type { LockHolder } from '../../system/lock/holder.js';
import { printable } from '../../base/printable.js';
import { EXIT } from '../exit-code.js';
import { lockOf } from '../../runs/run-files.js';
import { mustKnowRun } from './find-run.js';
import { table } from '../screen/table.js';
import { printJson, tell } from '../screen/terminal.js';

interface Given {
  dir?: string;
  json?: boolean;
}

/** A lock as it is shown; `holder` is who holds it, or held it last and could not release it. */
export interface LockView {
  runId: string;
  held: boolean;
  path: string;
  holder: LockHolder | null;
}

/** `runtime lock list` */
export async function lockList(given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  const views = stateDir
    .runIds()
    .map((runId) => view(stateDir, runId))
    .filter(({ held, holder }) => held || holder !== null);
  if (given.json) printJson({ schema: 1, locks: views });
  else if (views.length === 0) tell(`no locks in ${stateDir.root}`);
  else process.stdout.write(table(views.map((one) => [one.runId, describe(one)])));
  return EXIT.ok;
}

/** `runtime lock show <run-id>` */
export async function lockShow(runId: string, given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const one = view(stateDir, runId);
  if (given.json) {
    printJson({ schema: 1, ...one });
    return EXIT.ok;
  }
  process.stdout.write(lockTable(one));
  return EXIT.ok;
}

/** All that is known of one lock. */
export function lockTable(one: LockView): string {
  const rows = [
    ['run', one.runId],
    ['state', describe(one)],
  ];
  if (one.holder) rows.push(['folder', printable(one.holder.cwd)], ['since', printable(one.holder.startedAt)]);
  rows.push(['lock', printable(one.path, Infinity)]);
  return table(rows);
}

/** `runtime lock release <run-id>`. Throws ExecutorRunningError while the holder lives. */
export async function lockRelease(runId: string, given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  stateDir.refuseForeignLinks(dirname(stateDir.lockPath(runId)));
  mustKnowRun(stateDir, runId);
  const removed = lockOf(stateDir, runId).forceUnlock();
  process.stderr.write(
    removed
      ? `removed the lock file that the dead holder of ${runId} left\n`
      : `the lock of ${runId} is free: nothing to release\n`,
  );
  return EXIT.ok;
}

function view(stateDir: StateDir, runId: string): LockView {
  const lock = lockOf(stateDir, runId);
  // The holder first: one that releases in between is then shown as not holding, not the reverse.
  const holder = lock.holder() ?? null;
  return { runId, held: lock.isLocked(), path: lock.path, holder };
}

function describe({ held, holder }: LockView): string {
  const who = holder === null ? 'somebody' : printable(holder.executorId);
  if (held) return `held by ${who}`;
  return holder === null ? 'free' : `free: ${who} died with it`;
}
