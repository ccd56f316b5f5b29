import { limitOf, type RetryPolicy } from '../judge/conclude.js';
import type { Concern, Lookout } from './lookout.js';
import type { Stuck, TaskInFlight } from './vital-signs.js';

/** Tasks of one thread that stand at the same place; `timeoutMs`: the limit that they are over. */
export type StuckTogether = [
  stuck: readonly TaskInFlight[],
  concern: Concern,
  stuckAt: string,
  timeoutMs: number | undefined,
];

/**
 * Reports stuck tasks once it is read where they stand: many may be stuck at
 * once, and mostly at the same place. What is done about a task does not wait
 * for that; reporting it does.
 */
export function reportStuck(
  stuck: readonly Stuck[],
  lookout: Lookout,
  policy: Pick<RetryPolicy, 'timeout'>,
  report: (...together: StuckTogether) => void,
): void {
  const byReading = new Map<Promise<void> | undefined, Stuck[]>();
  for (const each of stuck) {
    const { thread, task, since } = each.inFlight;
    const reading = lookout.reading(thread, task, since);
    byReading.set(reading, [...(byReading.get(reading) ?? []), each]);
  }
  for (const [reading, some] of byReading) {
    const reportThem = () => {
      for (const together of grouped(some, lookout, policy)) report(...together);
    };
    if (reading === undefined) reportThem();
    else void reading.then(reportThem);
  }
}

function grouped(
  stuck: readonly Stuck[],
  lookout: Lookout,
  policy: Pick<RetryPolicy, 'timeout'>,
): Iterable<StuckTogether> {
  const groups = new Map<string, StuckTogether>();
  for (const { inFlight, concern } of stuck) {
    const { thread, task, since } = inFlight;
    const stuckAt = lookout.stuckAt(thread, task, since) ?? 'not known: it was run again';
    const timeoutMs = concern === 'timed-out' ? limitOf(task, policy) : undefined;
    const key = `${thread.number} ${concern} ${timeoutMs} ${stuckAt}`;
    const [tasks = []] = groups.get(key) ?? [];
    groups.set(key, [[...tasks, inFlight], concern, stuckAt, timeoutMs]);
  }
  return groups.values();
}
