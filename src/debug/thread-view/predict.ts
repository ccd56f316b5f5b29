/**
 * How long a thread would stand while its heap is written to a file, before it is.
 *
 * V8 does not tell how many objects there are without counting them, so this
 * goes by the bytes in spaces of small objects. What was measured on 2 cores,
 * Node 20 to 26: a fresh heap (4 to 6 MB) 110 to 200 ms; 97 MB of two million
 * small objects 6 to 8 s (5 s on Node 24); the same bytes in strings a third
 * of it. A heap of many small objects is the worst case, and that is what is
 * predicted: to say too much is better here than to say too little.
 */
const MS_AT_LEAST = 20;
const MS_PER_MB = 24;
/** V8's tables of objects grow out of the caches of the processor: more for each further MB. */
const MS_PER_MB_SQUARED = 0.4;
const LARGEST_FACTOR = 65;

/** @param smallObjects bytes */
export function predictPause(smallObjects: number): number {
  const megabytes = smallObjects / 1e6;
  return Math.round(MS_AT_LEAST + megabytes * Math.min(MS_PER_MB + MS_PER_MB_SQUARED * megabytes, LARGEST_FACTOR));
}
