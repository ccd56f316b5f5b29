// @ts-check
/** @typedef {{ value: number, min: number, max: number }} Measured a figure, and between what it lay */

/**
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/**
 * @param {readonly number[]} values
 * @param {number} [share] Default: the median.
 * @returns {Measured}
 */
export function measured(values, share = 0.5) {
  return { value: percentile(values, share), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Each value over the other one of the same round: what disturbed the machine
 * in a round disturbed both.
 * @param {readonly number[]} values
 * @param {readonly number[]} others
 */
export function ratios(values, others) {
  return values.map((value, round) => value / (others[round] ?? NaN));
}
