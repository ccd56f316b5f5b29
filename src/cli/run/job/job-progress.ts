import { RecentRate } from '../../../base/recent-rate.js';
import type { Executor } from '../../../runtime/executor.js';
import { paceOf } from '../../screen/pace.js';
import type { ProgressData } from '../../screen/progress.js';
import type { FeedState } from '../input/feed.js';
import { ended } from './summary.js';

/** Gives what tells how far a run is, each time it is called. */
export function jobProgress(executor: Executor, state: FeedState): () => Promise<ProgressData> {
  const rate = new RecentRate();
  return async () => {
    const { counts, threads, mode } = await executor.status();
    const done = ended(counts);
    const held = await heldBack(executor);
    return {
      done,
      failed: done - counts.done,
      total: Math.max(done + counts.queued + counts.delayed + counts.running - held, state.total ?? 0),
      totalKnown: state.finished,
      running: counts.running,
      ...paceOf(rate, { done, running: counts.running, mode }),
      busy: threads.filter((thread) => thread.state === 'busy').length,
      mode,
    };
  };
}

/** How many tasks wait that the input has not named. A queue that has failed tells none. */
export function heldBack({ encoded }: Executor): Promise<number> {
  return encoded.held(0).then(
    ({ count }) => count,
    () => 0,
  );
}
