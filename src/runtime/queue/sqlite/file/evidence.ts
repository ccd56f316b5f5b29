import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../../../base/errors.js';
import { HEALTH_FILE, QUEUE_FILE, SAVED_QUEUE } from '../../../../system/state-dir.js';
import { wayBack } from './saved-copy.js';

/**
 * A queue that is empty, or gone, is no new one where anything tells of an earlier
 * run. SQLite would delete its log, and all would be run again.
 *
 * @param runDir folder of the run, in the state folder
 * @throws HoldfastError `ERR_QUEUE_CORRUPT`
 */
export function refuseEmptied(runDir: string): void {
  const queue = join(runDir, QUEUE_FILE);
  const size = sizeOf(queue);
  if (size !== undefined && size > 0) return;
  const what = size === 0 ? `${queue} is empty` : `${queue} is not there`;
  const copy = latest(runDir, SAVED_QUEUE) ?? latest(dirname(dirname(runDir)), `${basename(runDir)}.saved-`);
  if (copy !== undefined) {
    throw new HoldfastError('ERR_QUEUE_CORRUPT', `${what}, and what was recorded is saved in ${copy}`, {
      hint: `Put the queue back: ${wayBack(queue, copy)}\nOr --fresh starts the run over.`,
    });
  }
  // The health of a run in memory, too, is left behind when it is killed: it tells of a queue only beside one.
  const others = size === 0 ? [`${QUEUE_FILE}-wal`, HEALTH_FILE] : [`${QUEUE_FILE}-wal`];
  const evidence = others.find((name) => (sizeOf(join(runDir, name)) ?? 0) > 0);
  if (evidence === undefined) return;
  throw new HoldfastError('ERR_QUEUE_CORRUPT', `${what}, and ${evidence} beside it tells of an earlier run`, {
    hint: 'Put back a copy of it, if there is one. Or --fresh starts the run over: all of it is run again.',
  });
}

/** The copy with the highest number. */
function latest(folder: string, prefix: string): string | undefined {
  const numberOf = (name: string) => Number(/^(\d+)[.]db$/.exec(name.slice(prefix.length))?.[1] ?? 0);
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.startsWith(prefix) && numberOf(name) > 0)
    : [];
  const name = names.reduce<string | undefined>(
    (most, each) => (most === undefined || numberOf(each) > numberOf(most) ? each : most),
    undefined,
  );
  return name === undefined ? undefined : join(folder, name);
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
