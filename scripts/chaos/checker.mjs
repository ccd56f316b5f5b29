// @ts-check
/**
 * Says what is wrong with a run, from what was seen of it. Knows nothing of how
 * it was seen, so that it can be shown doctored evidence.
 */

/** @typedef {import('./evidence.mjs').EvidenceLine} EvidenceLine */

/**
 * @typedef {object} RecordedOutcome an outcome, as the queue gives it
 * @property {string} id
 * @property {number} ordinal
 * @property {string} state
 * @property {string} content all of the outcome as text: what must never change
 * @property {{ answer: number, token: number, at: number } | undefined} result
 */

/**
 * @typedef {object} LockSpan looks in a row that saw the same
 * @property {number | null} holder pid that the lock's details name, 0 if unreadable; `null`: the lock was free
 * @property {number} from when the first look had its answer, as `EvidenceLine.at`
 * @property {number} to when the last look had
 * @property {number} looks
 */

/**
 * @typedef {object} Life of a supervisor
 * @property {number} pid
 * @property {number | undefined} killedAt just before the kill, as `EvidenceLine.at`; `undefined`: ended by itself
 */

/** More of one kind tell nothing new. */
const TOLD_OF_A_KIND = 5;

/** What is wrong, a few of each kind in full. */
export class Faults {
  /** @type {Map<string, string[]>} */
  #byCheck = new Map();

  /** @param {string} check @param {string} what */
  add(check, what) {
    const found = this.#byCheck.get(check);
    if (found === undefined) this.#byCheck.set(check, [what]);
    else found.push(what);
  }

  get count() {
    return [...this.#byCheck.values()].reduce((sum, found) => sum + found.length, 0);
  }

  /** @returns {string[]} */
  lines() {
    return [...this.#byCheck].flatMap(([check, found]) => {
      const told = found.slice(0, TOLD_OF_A_KIND).map((what) => `${check}: ${what}`);
      return found.length > TOLD_OF_A_KIND ? [...told, `${check}: and ${found.length - TOLD_OF_A_KIND} more`] : told;
    });
  }
}

/** Remembers each outcome as it was first seen, and holds every later snapshot against that. */
export class OutcomeHistory {
  /** @type {Map<string, { ordinal: number, content: string, snapshot: string }>} */
  #first = new Map();
  #faults;

  /** @param {Faults} faults */
  constructor(faults) {
    this.#faults = faults;
  }

  /**
   * @param {string} snapshot when it was taken, in words
   * @param {readonly RecordedOutcome[]} outcomes
   * @param {'all' | 'newest'} extent whether these are all there are
   */
  observe(snapshot, outcomes, extent) {
    const seen = new Set();
    const ordinals = new Map();
    for (const { id, ordinal, content } of outcomes) {
      if (seen.has(id)) this.#faults.add('one outcome a task', `${id} has two outcomes ${snapshot}`);
      seen.add(id);
      const other = ordinals.get(ordinal);
      if (other !== undefined) {
        this.#faults.add('one outcome a task', `${id} and ${other} share ordinal ${ordinal} ${snapshot}`);
      }
      ordinals.set(ordinal, id);
      const first = this.#first.get(id);
      if (first === undefined) this.#first.set(id, { ordinal, content, snapshot });
      else if (first.ordinal !== ordinal || first.content !== content) {
        const change = `${first.ordinal} ${first.content} ${first.snapshot}, ${ordinal} ${content} ${snapshot}`;
        this.#faults.add('no outcome changes', `${id} was ${change}`);
      }
    }
    if (extent === 'newest') return;
    for (const [id, { snapshot: before }] of this.#first) {
      if (!seen.has(id)) this.#faults.add('no outcome changes', `${id} had an outcome ${before}, and none ${snapshot}`);
    }
  }
}

/**
 * Every task has its outcome, it is `done`, and it is that of an attempt which
 * the evidence shows.
 *
 * @param {Faults} faults
 * @param {{ tasks: ReadonlyMap<string, number>, outcomes: readonly RecordedOutcome[], lines: readonly EvidenceLine[] }} run
 *   `tasks`: by id, what each has to come to
 */
export function checkOutcomes(faults, { tasks, outcomes, lines }) {
  const ends = new Map(lines.flatMap((line) => (line.kind === 'end' ? [[`${line.task} ${line.at}`, line]] : [])));
  const recorded = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  for (const [id, answer] of tasks) {
    const outcome = recorded.get(id);
    if (outcome === undefined) {
      faults.add('one outcome a task', `${id} has none`);
      continue;
    }
    const { state, result } = outcome;
    if (state !== 'done') faults.add('the innocent end done', `${id} is ${state}: ${outcome.content}`);
    else if (result?.answer !== answer) faults.add('outcomes are true', `${id} came to ${outcome.content}`);
    else if (ends.get(`${id} ${result.at}`)?.token !== result.token) {
      faults.add('outcomes are true', `${id}: no attempt ended as its outcome tells: ${outcome.content}`);
    }
  }
  for (const { id } of outcomes) if (!tasks.has(id)) faults.add('one outcome a task', `${id} was never given`);
}

/**
 * No line of an older executor follows a newer one's, an executor is one
 * process, and it runs no task twice; and no task starts again once its outcome
 * is recorded by an older executor.
 *
 * @param {Faults} faults
 * @param {readonly EvidenceLine[]} lines in the order of the file
 * @param {readonly RecordedOutcome[]} outcomes
 */
export function checkExecutors(faults, lines, outcomes) {
  /** @type {Map<number, { pid: number, started: Set<string>, ended: Set<string>, firstAt: number }>} */
  const executors = new Map();
  const tokenOfOutcome = new Map(outcomes.map(({ id, result }) => [id, result?.token ?? Infinity]));
  let newest = -Infinity;
  for (const line of lines) {
    const { kind, task, pid, token, at } = line;
    const executor = executors.get(token) ?? { pid, started: new Set(), ended: new Set(), firstAt: at };
    executors.set(token, executor);
    if (token < newest) {
      faults.add('one executor at a time', `${told(line)} comes after the first line of executor ${newest}`);
    } else newest = token;
    if (executor.pid !== pid) faults.add('one executor at a time', `${told(line)}, which was process ${executor.pid}`);
    const once = kind === 'start' ? executor.started : executor.ended;
    if (once.has(task)) faults.add('one attempt an executor', `${told(line)}, a second time`);
    once.add(task);
    if (kind === 'end' && !executor.started.has(task))
      faults.add('one attempt an executor', `${told(line)}, unstarted`);
    if (kind === 'start' && token > (tokenOfOutcome.get(task) ?? Infinity)) {
      faults.add('what is recorded is not run again', `${told(line)}, done under ${tokenOfOutcome.get(task)}`);
    }
  }
  checkClocks(faults, lines, executors);
}

/**
 * The order of the file is that of the writes; the clock, read before each,
 * tells the same of what happened between them.
 *
 * @param {Faults} faults @param {readonly EvidenceLine[]} lines @param {ReadonlyMap<number, { firstAt: number }>} executors
 */
function checkClocks(faults, lines, executors) {
  const byToken = [...executors].sort(([a], [b]) => a - b);
  const successorAt = new Map(byToken.map(([token], index) => [token, byToken[index + 1]?.[1].firstAt ?? Infinity]));
  for (const line of lines) {
    if (line.at >= /** @type {number} */ (successorAt.get(line.token))) {
      faults.add('one executor at a time', `${told(line)} is later than the first line of the next executor`);
    }
  }
}

/**
 * From the first look that saw a supervisor hold the lock, until it was killed,
 * nobody saw the lock free or with another.
 *
 * @param {Faults} faults @param {readonly LockSpan[]} spans in the order of time @param {readonly Life[]} lives
 */
export function checkLock(faults, spans, lives) {
  for (const { pid, killedAt } of lives) {
    const first = spans.findIndex(({ holder }) => holder === pid);
    if (first === -1) continue; // killed before it had the lock
    const until = killedAt ?? /** @type {LockSpan} */ (spans.findLast(({ holder }) => holder === pid)).to;
    for (const { holder, from } of spans.slice(first)) {
      if (holder === pid || from >= until) continue;
      const seen = holder === null ? 'the lock was free' : `the lock was with ${holder}`;
      faults.add('the lock is never free', `${seen} at ${from}, while supervisor ${pid} lived (until ${until})`);
    }
  }
}

/**
 * The file of `--results` holds each outcome once, in the order they were recorded.
 *
 * @param {Faults} faults @param {readonly string[]} ids of its lines @param {readonly RecordedOutcome[]} outcomes in their order
 */
export function checkResults(faults, ids, outcomes) {
  if (ids.length !== outcomes.length) {
    faults.add('results are complete', `${ids.length} lines for ${outcomes.length} outcomes`);
  }
  outcomes.forEach(({ id }, index) => {
    if (ids[index] !== id) faults.add('results are complete', `line ${index + 1} tells of ${ids[index]}, not ${id}`);
  });
}

/** @param {EvidenceLine} line */
function told({ kind, task, token, pid, at }) {
  return `${kind} of ${task} at ${at} under executor ${token} (process ${pid})`;
}
