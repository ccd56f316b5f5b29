/**
 * Starts `run` for each input, and yields the results in the order of the
 * inputs, with at most `window` inputs read and not yet yielded. A source that
 * is slow does not keep back results that are ready.
 *
 * A rejection of `run` ends the iteration with that error. Ending it early
 * closes the source; what was started goes on by itself.
 */
export async function* mapBounded<Input, Result>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  run: (input: Input) => Promise<Result>,
  window: number,
): AsyncGenerator<Result, void, undefined> {
  const source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  const ahead: Promise<Result>[] = [];
  let next: Promise<IteratorResult<Input>> | IteratorResult<Input> | undefined;
  let exhausted = false;
  try {
    while (!exhausted || ahead.length > 0) {
      if (exhausted || ahead.length >= window) {
        yield await ahead.shift()!;
        continue;
      }
      next ??= source.next();
      if (next instanceof Promise && ahead.length > 0 && !(await isFirst(next, ahead[0]!))) {
        yield await ahead.shift()!;
        continue;
      }
      const { done, value } = await next;
      next = undefined;
      if (done) {
        exhausted = true;
        continue;
      }
      const result = run(value);
      // It is awaited later; until then a rejection must not count as unhandled.
      result.catch(() => {});
      ahead.push(result);
    }
  } finally {
    if (!exhausted) await source.return?.();
  }
}

/** Whether `one` settles before `other`. Rejections are left to whoever awaits them. */
function isFirst(one: Promise<unknown>, other: Promise<unknown>): Promise<boolean> {
  const settled = (promise: Promise<unknown>, first: boolean) => promise.then(() => first, () => first);
  return Promise.race([settled(one, true), settled(other, false)]);
}
