/**
 * Milliseconds on a clock that nobody sets, and that all processes of this machine
 * share since its start: what one of them notes, another one can count from.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
