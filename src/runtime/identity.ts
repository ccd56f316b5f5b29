/** What a run is: its module, and the handler of tasks that name none. A run that goes on must be the same. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../base/errors.js';
import type { QueueReader, Recovering, RunIdentity } from './queue/contract.js';
import { RUN_ID } from '../system/state-dir.js';

/** What is to be told of a run that goes on though something about it has changed. */
export interface IdentityChange {
  /** Its module, unchanged, lies elsewhere now: both paths. */
  moved?: { from: string; to: string };
  /** Outcomes that are of another text of its module. */
  ofOtherText?: number;
  /** An earlier version of holdfast, which did not record what a run is, has begun it. */
  ofEarlierVersion?: true;
}

export interface GivenIdentity {
  runId: string;
  /** `file:` URL. */
  module: string;
  handler: string | undefined;
  source: RunIdentity['source'];
  /** Of the text that was loaded. */
  version: string | undefined;
}

/**
 * Holds what is to run now against what was recorded of the run, and records it.
 * A run that holds no task may become another one.
 *
 * @throws HoldfastError `ERR_RUN_MISMATCH` for another module, or another handler. Nothing is changed then.
 */
export async function admit(queue: QueueReader & Recovering, given: GivenIdentity): Promise<IdentityChange> {
  const { now, recorded, change } = await compare(queue, given);
  if (JSON.stringify(now) !== JSON.stringify(recorded)) await queue.identify(now);
  return change;
}

interface Compared {
  now: RunIdentity;
  recorded: RunIdentity | undefined;
  change: IdentityChange;
}

/**
 * The same without recording anything.
 * @throws HoldfastError `ERR_RUN_MISMATCH`
 */
export async function compare(queue: QueueReader, given: GivenIdentity): Promise<Compared> {
  const [recorded, counts] = await Promise.all([queue.identity(), queue.counts()]);
  const module = fileURLToPath(given.module);
  const { version } = given;
  const now: RunIdentity = {
    module,
    realModule: realPath(module),
    handler: given.handler ?? recorded?.handler,
    source: given.source ?? recorded?.source,
    version,
  };
  const change: IdentityChange = {};
  const begun = Object.values(counts).some((count) => count > 0);
  if (recorded === undefined && begun) change.ofEarlierVersion = true;
  if (recorded !== undefined && begun) {
    if (!isSameModule(recorded, now)) {
      if (!wasMoved(recorded, now)) throw mismatch(given.runId, 'module', recorded.realModule, now.realModule, module);
      change.moved = { from: recorded.realModule, to: now.realModule };
    }
    if (recorded.handler !== undefined && recorded.handler !== now.handler) {
      throw mismatch(given.runId, 'handler', recorded.handler, now.handler!, module);
    }
    const ofOtherText = version === undefined ? 0 : await queue.outcomesOfOtherVersions(version);
    if (ofOtherText > 0) change.ofOtherText = ofOtherText;
  }
  return { now, recorded, change };
}

/** In words, a line each. */
export function changesInWords(runId: string, { moved, ofOtherText }: IdentityChange): string[] {
  const lines: string[] = [];
  if (moved) lines.push(`the module of run ${runId} was moved from ${moved.from} to ${moved.to}; its text is the same`);
  if (ofOtherText !== undefined) {
    const outcomes = ofOtherText === 1 ? '1 outcome of run' : `${ofOtherText} outcomes of run`;
    const verb = ofOtherText === 1 ? 'is' : 'are';
    lines.push(`${outcomes} ${runId} ${verb} of another text of its module than what runs now ("version" tells which)`);
  }
  return lines;
}

/** One file may have several names; and a name may lead elsewhere after an update, by a link. */
function isSameModule(recorded: RunIdentity, now: RunIdentity): boolean {
  return recorded.realModule === now.realModule || recorded.module === now.module;
}

function wasMoved(recorded: RunIdentity, now: RunIdentity): boolean {
  const gone = !existsSync(recorded.realModule) && !existsSync(recorded.module);
  return gone && now.version !== undefined && now.version === recorded.version;
}

function mismatch(runId: string, what: 'module' | 'handler', was: string, is: string, module: string): HoldfastError {
  const own = ownName(runId, what === 'module' ? basename(dirname(module)) : is);
  return new HoldfastError('ERR_RUN_MISMATCH', `run ${runId} is of another ${what}: it is of ${was}, not of ${is}`, {
    hint: `Give this one a name of its own: --run-id ${own}. Or forget what was recorded, and start it over: --fresh.`,
  });
}

function ownName(runId: string, word: string): string {
  const name = `${runId}-${word.replace(/[^A-Za-z0-9._-]+/g, '-')}`;
  return RUN_ID.test(name) ? name : `${runId.slice(0, 120)}-other`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
