// @ts-check
/** What a chaos run was like, in numbers. */

/**
 * @typedef {object} KillMade
 * @property {import('./plan.mjs').Victim} victim
 * @property {import('./plan.mjs').How} how
 * @property {boolean} supervised
 * @property {number} at as `EvidenceLine.at`
 * @property {number} progress in ended tasks
 */

/**
 * @typedef {object} Seen
 * @property {number} seed
 * @property {number} tasks
 * @property {number} planned kills
 * @property {readonly KillMade[]} kills
 * @property {readonly import('./evidence.mjs').EvidenceLine[]} lines
 * @property {readonly import('./checker.mjs').LockSpan[]} spans
 * @property {readonly import('./checker.mjs').Life[]} lives
 * @property {readonly import('./checker.mjs').RecordedOutcome[]} outcomes
 * @property {number} gaveUp
 * @property {number} snapshots
 * @property {import('./visitor.mjs').Visits} visits
 * @property {number} totalMs
 */

/** @param {Seen} seen @returns {string[]} lines for people */
export function describe(seen) {
  const { kills, lines, spans, lives, tasks } = seen;
  const attempts = new Map();
  for (const { kind, task } of lines) if (kind === 'start') attempts.set(task, (attempts.get(task) ?? 0) + 1);
  const starts = [...attempts.values()].reduce((sum, count) => sum + count, 0);
  const executors = new Set(lines.map(({ token }) => token)).size;
  const of = (/** @type {string} */ name) => kills.filter((kill) => nameOf(kill) === name);
  const numbers = Object.keys(DEATHS).map((name) => `${of(name).length} ${name}`);
  const stops = kills.filter(({ how }) => how !== 'kill').length;
  const charged = seen.outcomes.filter(({ content }) => JSON.parse(content).crashes > 0).length;
  const quarter = (/** @type {number} */ part) =>
    kills.filter(({ progress }) => Math.min(3, Math.floor((4 * progress) / tasks)) === part).length;
  return [
    `seed          ${seen.seed}`,
    `tasks         ${tasks}`,
    `kills         ${kills.length} of ${seen.planned}: ` +
      `${numbers.join(', ')}; ${stops} with a stop; ` +
      `by quarter of the run: ${[0, 1, 2, 3].map(quarter).join(', ')}`,
    `restarts      ${lives.length - 1} of the command, ${executors - 1} of an executor that came to run a task; ` +
      `${seen.gaveUp} commands gave up`,
    `attempts      ${starts}, ${(starts / tasks).toFixed(3)} for each task, at most ${Math.max(0, ...attempts.values())}; ` +
      `${[...attempts.values()].filter((count) => count > 1).length} tasks ran more than once`,
    `suspicion     ${charged} tasks were charged a crash, and ended done`,
    `snapshots     ${seen.snapshots} of the recorded outcomes`,
    `visits        ${visitsOf(seen.visits)}`,
    `lock          ${spans.reduce((sum, { looks }) => sum + looks, 0)} looks`,
    `let go        ${distribution(released(seen))} from the death of a supervisor until its lock is free or with the next`,
    ...Object.entries(DEATHS)
      .filter(([name]) => of(name).length > 0)
      .map(
        ([name, death], index) =>
          `${index === 0 ? 'taken over   ' : '             '} ` +
          `${distribution(takeovers(seen, of(name)))} from the death of ${death} to the next task's start`,
      ),
    `total         ${(seen.totalMs / 1000).toFixed(1)} s`,
  ];
}

/** By the names of kills. */
const DEATHS = {
  executor: 'the executor',
  supervisor: 'the supervisor',
  both: 'both',
  'executor alone': 'an executor without a supervisor',
  keeper: 'its keeper',
  'keeper too': 'both of these',
};

/** @param {KillMade} kill @returns {keyof typeof DEATHS} */
function nameOf({ victim, supervised }) {
  if (supervised) return victim === 'keeper' ? 'supervisor' : victim;
  if (victim === 'keeper') return 'keeper';
  return victim === 'executor' ? 'executor alone' : 'keeper too';
}

/** @param {import('./visitor.mjs').Visits} visits */
function visitsOf({ visits, locked }) {
  const counts = Object.entries(visits).map(([name, count]) => `${count} with ${name}`);
  return `${counts.join(', ') || 'none'}; ${locked} found it locked`;
}

/** Milliseconds from a kill to the first line of a newer executor, where no other kill came between. @param {Seen} seen @param {readonly KillMade[]} kills */
function takeovers({ kills: all, lines }, kills) {
  /** @type {Map<number, number>} */
  const firstOf = new Map();
  for (const { token, at } of lines) firstOf.set(token, Math.min(at, firstOf.get(token) ?? at));
  const firsts = [...firstOf.values()].sort((a, b) => a - b);
  return kills.flatMap(({ at, how }) => {
    if (how === 'stop' || how === 'stop, and kill the other') return [];
    const next = firsts.find((first) => first > at);
    const disturbed = all.some((kill) => kill.at > at && kill.at < (next ?? Infinity));
    return next === undefined || disturbed ? [] : [(next - at) / 1000];
  });
}

/** Milliseconds from the kill of a supervisor to the first look that did not see it hold the lock. @param {Seen} seen */
function released({ lives, spans }) {
  return lives.flatMap(({ pid, killedAt }) => {
    const last = spans.findLastIndex(({ holder }) => holder === pid);
    const next = spans[last + 1];
    return last === -1 || killedAt === undefined || next === undefined
      ? []
      : [Math.max(0, next.from - killedAt) / 1000];
  });
}

/** @param {number[]} values milliseconds */
function distribution(values) {
  const sorted = values.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => `${Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? NaN)} ms`;
  return sorted.length === 0
    ? 'never seen:'
    : `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} (${sorted.length} times)`;
}
