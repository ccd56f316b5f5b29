import { hostname } from 'node:os';
import { HoldfastError } from '../../base/errors.js';
import { executorPid } from '../../runs/executor-pid.js';
import type { StateDir } from '../../system/state-dir.js';
import { isKnownRun, lockOf } from '../../runs/run-files.js';
import { mustKnowRun } from '../runs/find-run.js';
import { commandFor } from '../arguments/suggest-command.js';

export interface InspectTarget {
  pid: number;
  /** What is said of the choice; `undefined` where there was none. */
  note: string | undefined;
}

/**
 * The process that is meant: that of the executor of a run, or the one with
 * this id. Digits are a process id, unless a run of that name goes on.
 *
 * @throws HoldfastError `ERR_NO_EXECUTOR` for a run that is not known, or does not go on
 */
export function inspectTarget(stateDir: StateDir, target: string): InspectTarget {
  if (!/^\d+$/.test(target)) return { pid: pidOfRun(stateDir, target), note: undefined };
  if (!isKnownRun(stateDir, target)) return { pid: Number(target), note: undefined };
  if (lockOf(stateDir, target).isLocked()) {
    const pid = pidOfRun(stateDir, target);
    return { pid, note: `${target} is taken for the run of that name; its executor is process ${pid}` };
  }
  return { pid: Number(target), note: `${target} is taken for a process: the run of that name is not going on` };
}

function pidOfRun(stateDir: StateDir, runId: string): number {
  mustKnowRun(stateDir, runId);
  const lock = lockOf(stateDir, runId);
  const holder = lock.isLocked() ? lock.holder() : undefined;
  if (holder === undefined) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `no executor is running for "${runId}": there is nothing to look into`, {
      hint: `How the run is doing: ${commandFor(`status ${runId}`, stateDir.root)}`,
    });
  }
  if (holder.hostname !== hostname()) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `the executor of "${runId}" runs on another host: ${holder.hostname}`, {
      hint: 'Look into it there.',
    });
  }
  const pid = executorPid(stateDir, runId, holder);
  if (pid !== undefined) return pid;
  throw new HoldfastError('ERR_NO_EXECUTOR', `the executor of "${runId}" is just starting, or has just died`, {
    hint: `Try again in a moment; if that does not change: ${commandFor(`status ${runId}`, stateDir.root)}`,
  });
}
