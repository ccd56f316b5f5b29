/** Where the events of a smoke test come from. */

/** Gives events, any values that can travel to a thread. It is to end when `signal` is aborted. */
export type EventSource = (signal: AbortSignal) => AsyncIterable<unknown> | Iterable<unknown>;

/** Events that are taken at most: one is enough for the test, and a source may never end. */
export const MAX_EVENTS = 100;

/**
 * Takes events from a source, and hands each to `onEvent`, until the source
 * ends, `signal` is aborted, or there are enough. A source that does not care
 * about the signal is left alone with what it is doing.
 *
 * @throws what the source throws
 */
export async function takeEvents(
  source: EventSource,
  signal: AbortSignal,
  onEvent: (event: unknown) => void,
): Promise<void> {
  const iterator = iterate(source(signal));
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (let taken = 0; taken < MAX_EVENTS && !signal.aborted; taken++) {
    const next = Promise.resolve(iterator.next());
    // Of a source that is not heard any more, an error is no news.
    next.catch(() => {});
    const step = await Promise.race([next, aborted]);
    if (step === undefined) break;
    if (step.done) return;
    onEvent(step.value);
  }
  close(iterator);
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

function iterate(source: AsyncIterable<unknown> | Iterable<unknown>): AnyIterator {
  const methods = source as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const iterator = methods?.[Symbol.asyncIterator]?.() ?? methods?.[Symbol.iterator]?.();
  if (iterator === undefined) throw new TypeError('the event source gave nothing that can be iterated over');
  return iterator;
}

/** Not waited for: a generator that hangs closes after what it hangs in. */
function close(iterator: AnyIterator): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // It was told to end; more cannot be done.
  }
}
