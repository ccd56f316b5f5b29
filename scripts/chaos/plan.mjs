// @ts-check
/**
 * What a seed decides: the tasks, and when who is killed. It decides nothing
 * about threads, disks and the scheduler, so two runs of one seed go through
 * the same kills in the same order at the same progress, but not at the same
 * instruction.
 */

/** @typedef {'executor' | 'supervisor' | 'both'} KillKind */

/**
 * @typedef {object} Kill
 * @property {KillKind} kind
 * @property {number | undefined} progress share of the tasks that must have ended before; `undefined`: follows the
 *   kill before it by nothing but its delay, and so finds the next executor starting
 * @property {number} delayMs from then on
 */

/** @typedef {{ id: string, handler: 'spin' | 'wait', input: { number: number, ms: number } }} ChaosTask */

/** Mulberry32: small, fast, and the same on every machine. @param {number} seed @returns {() => number} from 0 to 1 */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** No kill waits for the very last tasks: it could come too late. */
const LAST_PROGRESS = 0.98;
/** Share of the kills that follow another one closely. */
const FOLLOWERS = 0.3;
/** Two processes and their threads take about this long to start: a follower may hit any moment of it. */
const FOLLOW_MS = 700;
/** Spreads the others over the moments between two outcomes. */
const SCATTER_MS = 40;

/** @param {number} seed @param {number} count @returns {Kill[]} in their order */
export function planKills(seed, count) {
  const next = random(seed);
  const followers = Math.floor(count * FOLLOWERS);
  const moments = Array.from({ length: count - followers }, () => next() * LAST_PROGRESS).sort((a, b) => a - b);
  /** @type {Kill[]} */
  const kills = moments.map((progress) => ({ kind: kindOf(next()), progress, delayMs: next() * SCATTER_MS }));
  for (let i = 0; i < followers; i++) {
    const at = 1 + Math.floor(next() * kills.length);
    kills.splice(at, 0, { kind: kindOf(next()), progress: undefined, delayMs: next() * FOLLOW_MS });
  }
  return kills;
}

/** @param {number} draw @returns {KillKind} */
function kindOf(draw) {
  if (draw < 0.5) return 'executor';
  return draw < 0.75 ? 'supervisor' : 'both';
}

/**
 * Mostly tasks that travel in batches, some that travel alone, some that wait
 * beside others. @param {number} seed @param {number} count @returns {ChaosTask[]}
 */
export function planTasks(seed, count) {
  const next = random(~seed);
  return Array.from({ length: count }, (_, number) => {
    const id = `task-${number}`;
    const draw = next();
    if (draw < 0.6) return { id, handler: 'spin', input: { number, ms: next() } };
    if (draw < 0.75) return { id, handler: 'spin', input: { number, ms: 2 + 8 * next() } };
    return { id, handler: 'wait', input: { number, ms: 20 * next() } };
  });
}

/** What a task has to come to. @param {number} number */
export function answer(number) {
  return Math.imul(number, 0x9e3779b1) >>> 0;
}
