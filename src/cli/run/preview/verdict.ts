import type { Standing } from '../../../runtime/queue/contract.js';

/**
 * Whether a task of the input would run, and why. `new`: the run does not know it. `continues`: an earlier start
 * left it. `retry`: it ended, and is tried again. Not run are one that is `done`, one that `ended` otherwise, one
 * that `runs` now, and one whose id the input has `repeated`. A `conflict` has the id of another task: it refuses the run.
 */
export type Verdict = 'new' | 'continues' | 'retry' | 'done' | 'ended' | 'runs' | 'repeated' | 'conflict';

export const RUNS: ReadonlySet<Verdict> = new Set(['new', 'continues', 'retry']);

/** @param standing `undefined`: the run does not know the task */
export function verdictOf(
  standing: Standing | undefined,
  { retryFailed, isHeld }: { retryFailed: boolean; isHeld: boolean },
): { verdict: Verdict; because?: string } {
  if (standing === undefined) return { verdict: 'new' };
  if (!standing.same)
    return { verdict: 'conflict', because: 'its id is taken by a task with another handler or input' };
  switch (standing.state) {
    case 'queued':
      return { verdict: 'continues', because: 'left queued' };
    case 'delayed':
      return { verdict: 'continues', because: 'waits for its retry' };
    case 'suspect':
      return { verdict: 'continues', because: 'tried alone: a thread or process died under it' };
    case 'running':
      return isHeld ? { verdict: 'runs' } : { verdict: 'continues', because: 'was interrupted' };
    case 'done':
      return { verdict: 'done' };
    default:
      return { verdict: retryFailed ? 'retry' : 'ended', because: standing.state };
  }
}
