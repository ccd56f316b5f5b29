/** Words of faults that people can act on. */

/** The known word closest to `word`, if one is close enough to be meant. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  // A third of the letters may differ: "thread" is "threads", "x" is nothing.
  let limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  for (const candidate of known) {
    if (candidate.length < 2 || word.length < 2) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit) {
      best = candidate;
      limit = distance - 1;
    }
  }
  return best;
}

/** `; did you mean "threads"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const guess = closest(word, known);
  return guess === undefined ? '' : `; did you mean ${JSON.stringify(guess)}?`;
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, beforeLast[column - 2]! + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}

/** A value as it is quoted in a fault: short, on one line, whatever it is. */
export function quoted(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'symbol' || value === undefined) {
    return String(value);
  }
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'an object';
  } catch {
    return 'an object';
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
