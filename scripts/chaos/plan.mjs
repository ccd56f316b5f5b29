// @ts-check
/**
 * What a seed decides: the tasks, how the command is started, and when who is
 * killed, and how. It decides nothing about threads, disks and the scheduler,
 * so two runs of one seed go through the same kills in the same order at the
 * same progress, but not at the same instruction.
 */

/** @typedef {'executor' | 'keeper' | 'both'} Victim the keeper is the process that has the queue open: the supervisor, where there is one */

/**
 * @typedef {'kill' | 'stop' | 'stop, then kill' | 'stop, and kill the other'} How
 *   `stop`: by SIGSTOP, for longer than anybody waits for anybody; then SIGCONT, unless it is killed
 */

/**
 * @typedef {object} Kill
 * @property {Victim} victim
 * @property {How} how
 * @property {number | undefined} progress share of the tasks that must have ended before; `undefined`: follows the
 *   kill before it by nothing but its delay, and so finds the next executor starting
 * @property {number} delayMs from then on
 * @property {number} stopMs how long who is stopped stays so; 0 where nobody is
 */

/** @typedef {{ id: string, handler: 'spin' | 'wait' | 'copy', input: { number: number, ms: number } }} ChaosTask */

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
/** Share of the kills that are stops: each takes seconds. */
const STOPS = 0.06;
/** Nobody in the runtime waits for another one for longer than 5 s, without saying so. */
const STOP_MS = [4000, 9000];
/** @type {readonly How[]} */
const STOPPING = ['stop', 'stop, then kill', 'stop, and kill the other'];
/** Share of the starts with --no-supervise. */
const UNSUPERVISED = 0.3;
/** Share of the tasks that copy and hash the state folder. */
const COPIES = 0.004;

/** @param {number} seed @param {number} count @returns {Kill[]} in their order */
export function planKills(seed, count) {
  const next = random(seed);
  const followers = Math.floor(count * FOLLOWERS);
  const moments = Array.from({ length: count - followers }, () => next() * LAST_PROGRESS).sort((a, b) => a - b);
  /** @type {Kill[]} */
  const kills = moments.map((progress) => killAt(next(), progress, next() * SCATTER_MS));
  for (let i = 0; i < followers; i++) {
    const at = 1 + Math.floor(next() * kills.length);
    kills.splice(at, 0, killAt(next(), undefined, next() * FOLLOW_MS));
  }
  const [shortest = 0, longest = 0] = STOP_MS;
  for (let i = 0; i < Math.floor(count * STOPS); i++) {
    const kill = kills.at(Math.floor(next() * kills.length));
    const how = STOPPING.at(i % STOPPING.length);
    if (kill === undefined || how === undefined) break;
    // Of a pair, the one is stopped and the other killed, whichever was drawn.
    kill.how = how;
    if (how === 'stop, and kill the other' && kill.victim === 'both') kill.victim = 'keeper';
    kill.stopMs = shortest + next() * (longest - shortest);
  }
  return kills;
}

/** @param {number} draw @param {number | undefined} progress @param {number} delayMs @returns {Kill} */
function killAt(draw, progress, delayMs) {
  return { victim: victimOf(draw), how: 'kill', progress, delayMs, stopMs: 0 };
}

/** @param {number} draw @returns {Victim} */
function victimOf(draw) {
  if (draw < 0.5) return 'executor';
  return draw < 0.75 ? 'keeper' : 'both';
}

/** Whether each start of the command has a supervisor, in their order. @param {number} seed @returns {() => boolean} */
export function planStarts(seed) {
  const next = random(seed + 1);
  return () => next() >= UNSUPERVISED;
}

/**
 * Mostly tasks that travel in batches, some that travel alone, some that wait
 * beside others, and some that copy the state folder.
 * @param {number} seed @param {number} count @returns {ChaosTask[]}
 */
export function planTasks(seed, count) {
  const next = random(~seed);
  return Array.from({ length: count }, (_, number) => {
    const id = `task-${number}`;
    const draw = next();
    if (draw < COPIES) return { id, handler: 'copy', input: { number, ms: 0 } };
    if (draw < 0.6) return { id, handler: 'spin', input: { number, ms: next() } };
    if (draw < 0.75) return { id, handler: 'spin', input: { number, ms: 2 + 8 * next() } };
    return { id, handler: 'wait', input: { number, ms: 20 * next() } };
  });
}

/** What a task has to come to. @param {number} number */
export function answer(number) {
  return Math.imul(number, 0x9e3779b1) >>> 0;
}
