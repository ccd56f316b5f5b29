import { MAX_DURATION_MS } from '../../base/units.js';

/** Of what is due at once, so many go out before others get their turn. */
const MAX_DUE = 1_000;

export interface PaceOptions {
  /** Of what is planned, on the clock of `performance.now()`. Default: now. */
  start?: number | undefined;
  /** Ends it at once. */
  signal?: AbortSignal | undefined;
}

/**
 * Gives out what is planned when it is due, together with all else that is due
 * by then. It never drifts: each wait is for a planned instant, not for a time
 * since the last one. What was late is given out as soon as can be, and nothing
 * is left out, however slow the one is who takes it.
 *
 * Timers of Node are exact to about a millisecond. It never spins to do better.
 */
export async function* paced<Planned extends { at: number }>(
  planned: Iterable<Planned>,
  { start = performance.now(), signal }: PaceOptions = {},
): AsyncGenerator<Planned[], void, undefined> {
  const source = planned[Symbol.iterator]();
  let next = source.next();
  while (!next.done && !signal?.aborted) {
    const elapsed = performance.now() - start;
    if (next.value.at > elapsed) {
      await sleep(next.value.at - elapsed, signal);
      continue;
    }
    const due: Planned[] = [];
    while (!next.done && next.value.at <= elapsed && due.length < MAX_DUE) {
      due.push(next.value);
      next = source.next();
    }
    yield due;
    // Who is late would else never let the event loop turn: no signal, no message would come through.
    await turn();
  }
}

/** Resolves after that time, or once the signal is aborted; it may be a little early. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(Math.ceil(ms), MAX_DURATION_MS));
    signal?.addEventListener('abort', done);
  });
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
