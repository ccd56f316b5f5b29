/** `npm run test:fuzz` sets it: properties are tried with so many times the inputs of `npm test`. */
export const FUZZ_FACTOR = Number(process.env['FUZZ_FACTOR'] ?? 1);

/** How many inputs a property is tried with. @param quick for `npm test`, which is to take minutes */
export function runs(quick: number): number {
  return quick * FUZZ_FACTOR;
}
