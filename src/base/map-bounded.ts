/**
 * Starts `run` for each input, and yields the results in the order of the
 * inputs, with at most `window` inputs read and not yet yielded. A source that
 * is slow does not keep back results that are ready.
 *
 * A rejection of `run` ends the iteration with that error when its turn comes,
 * one of the source at once. Ending it early closes the source; what was
 * started goes on by itself.
 */
export async function* mapBounded<Input, Result>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  run: (input: Input) => Promise<Result>,
  window: number,
): AsyncGenerator<Result, void, undefined> {
  const source = iterate(inputs);
  const ahead: Promise<Result>[] = [];
  let next: Promise<IteratorResult<Input>> | IteratorResult<Input> | undefined;
  let open = true;
  try {
    while (open || ahead.length > 0) {
      if (!open || ahead.length >= window) {
        yield await ahead.shift()!;
        continue;
      }
      next ??= source.next();
      if (next instanceof Promise && ahead.length > 0 && !(await isFirst(next, ahead[0]!))) {
        yield await ahead.shift()!;
        continue;
      }
      // A source that fails is not to be closed.
      open = false;
      const { done, value } = await next;
      next = undefined;
      if (done) continue;
      open = true;
      const result = run(value);
      // It is awaited later; until then a rejection must not count as unhandled.
      result.catch(() => {});
      ahead.push(result);
    }
  } finally {
    if (open) await close(source, next);
  }
}

function iterate<Input>(inputs: Iterable<Input> | AsyncIterable<Input>): Iterator<Input> | AsyncIterator<Input> {
  const { [Symbol.asyncIterator]: asyncIterator } = inputs as AsyncIterable<Input>;
  return asyncIterator === undefined ? (inputs as Iterable<Input>)[Symbol.iterator]() : asyncIterator.call(inputs);
}

/** A source that still owes an input closes after that one; it may take for ever, so it is not waited for. */
async function close(source: Iterator<unknown> | AsyncIterator<unknown>, owed: unknown): Promise<void> {
  const closing = Promise.resolve(source.return?.());
  if (owed === undefined) await closing;
  else closing.catch(() => {});
}

/** Whether `one` settles before `other`. Rejections are left to whoever awaits them. */
function isFirst(one: Promise<unknown>, other: Promise<unknown>): Promise<boolean> {
  const settled = (promise: Promise<unknown>, first: boolean) =>
    promise.then(
      () => first,
      () => first,
    );
  return Promise.race([settled(one, true), settled(other, false)]);
}
