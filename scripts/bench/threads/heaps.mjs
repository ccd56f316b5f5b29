// @ts-check
/** What a process to look into has in its heap. */

/** Held for as long as the process lives. @type {unknown[]} */
const held = [];

/**
 * @param {'fresh' | 'suspended' | 'objects'} kind
 * @param {number} count
 */
export function fillHeap(kind, count) {
  if (kind === 'suspended') held.push(requests(count));
  if (kind === 'objects') held.push(objects(count));
}

/** So many suspended functions: requests of ten functions each, the last of which waits for a timer or a promise. */
function requests(/** @type {number} */ count) {
  /** @type {((value?: unknown) => void)[]} */
  const resolvers = [];
  held.push(resolvers);
  const read = async (/** @type {number} */ number) => {
    if (number % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    else await new Promise((resolve) => resolvers.push(resolve));
  };
  const parts = async (/** @type {number} */ number) => {
    await Promise.all(Array.from({ length: 8 }, () => read(number)));
  };
  const answer = async (/** @type {number} */ number) => {
    await parts(number);
  };
  return Array.from({ length: count / 10 }, (_, number) => answer(number));
}

/** So many small objects, each referred to by the next: about 40 bytes each. */
function objects(/** @type {number} */ count) {
  /** @type {object | undefined} */
  let last;
  for (let number = 0; number < count; number++) last = { number, last };
  return last;
}
