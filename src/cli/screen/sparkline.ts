const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * Counts as a row of bars, one character each. A count of 0 is a gap, so that a pause is seen as one.
 * @param max the count of the highest bar
 */
export function sparkline(counts: readonly number[], max: number): string {
  return counts.map((count) => (count === 0 ? ' ' : LEVELS[Math.ceil((count / max) * LEVELS.length) - 1]!)).join('');
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most `width` characters, in eighths of one. What is there is seen: more than nothing is never empty. */
export function bar(count: number, max: number, width: number): string {
  const eighths = count === 0 ? 0 : Math.max(1, Math.round((count / max) * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
