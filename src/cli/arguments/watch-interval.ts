/**
 * What is typed around `--watch [interval]`. In `--watch 4711`, what follows the flag is no interval, as it has no
 * unit: it is the argument.
 *
 * @param watch as commander gives it; `true`: without an interval
 */
export function besideWatch(
  argument: string | undefined,
  watch: string | true | undefined,
): { argument: string | undefined; interval: string | true | undefined } {
  const swallowed = argument === undefined && typeof watch === 'string' && !/^[\d.]+[a-z]+$/i.test(watch);
  return swallowed ? { argument: watch, interval: true } : { argument, interval: watch };
}
