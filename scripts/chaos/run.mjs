// @ts-check
/** One chaos run: start the command, kill, start again, until it ends. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkExecutors, checkLock, checkOutcomes, checkResults, Faults, OutcomeHistory } from './checker.mjs';
import { RunningCommand } from './command.mjs';
import { EvidenceTail } from './evidence.mjs';
import { lockProbe, readOutcomes, readResultIds, visitor } from './observer.mjs';
import { answer, planKills, planStarts, planTasks } from './plan.mjs';

/** How often progress is looked at, in ms. */
const LOOK_MS = 2;
/** To read all outcomes takes 0.1 s in a large run, in which no kill can come: most snapshots read what is new. */
const ALL_EVERY = 10;
/** Nothing takes so long: neither a start, nor a stop, nor a wait for a lock. */
const STANDSTILL_MS = 90_000;
/** A command that ends so often without an outcome more will not come to its end at all. */
const MAX_BARREN_STARTS = 5;

/**
 * @typedef {object} Settings
 * @property {number} seed
 * @property {number} kills
 * @property {number} tasks
 * @property {readonly string[]} nodes programs whose SQLite the visitor uses, too
 */

/**
 * @param {Settings} settings
 * @returns {Promise<{ seen: import('./figures.mjs').Seen, faults: Faults, folder: string }>} `folder`: all that is left of the run
 */
export async function chaosRun(settings) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  const run = new ChaosRun(folder, settings);
  try {
    return { ...(await run.toItsEnd()), folder };
  } finally {
    run.close();
  }
}

/** @param {string} folder of a run */
export function removeRun(folder) {
  rmSync(folder, { recursive: true, force: true });
}

/** The run does not come to its end. */
class Standstill extends Error {}

class ChaosRun {
  #settings;
  #tasks;
  #place;
  #log;
  #tail;
  #faults = new Faults();
  #history = new OutcomeHistory(this.#faults);
  #snapshots = 0;
  #lastOrdinal = 0;
  #isSupervised;
  #linesSeen = 0;
  #lastLineAt = performance.now();
  #gaveUp = 0;
  #barrenStarts = 0;
  /** @type {import('./checker.mjs').Life[]} */
  #lives = [];
  /** @type {import('./figures.mjs').KillMade[]} */
  #kills = [];
  #command;

  /** @param {string} folder @param {Settings} settings */
  constructor(folder, settings) {
    this.#settings = settings;
    this.#place = {
      runId: 'chaos',
      stateDir: join(folder, 'state'),
      tasks: join(folder, 'tasks.ndjson'),
      results: join(folder, 'results.ndjson'),
      evidence: join(folder, 'evidence.ndjson'),
    };
    this.#tasks = planTasks(settings.seed, settings.tasks);
    this.#isSupervised = planStarts(settings.seed);
    writeFileSync(this.#place.tasks, this.#tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
    this.#log = openSync(join(folder, 'command.log'), 'a');
    this.#tail = new EvidenceTail(this.#place.evidence);
    this.#command = this.#start();
  }

  async toItsEnd() {
    const startedAt = performance.now();
    const { seed, kills: planned, tasks, nodes } = this.#settings;
    const probe = lockProbe(this.#place);
    const guest = visitor(this.#place, nodes);
    await Promise.all([probe.started(), guest.started()]);
    try {
      await this.#killAll();
    } catch (error) {
      if (!(error instanceof Standstill)) throw error;
      this.#faults.add('the run goes on', error.message);
      this.#command.end();
    }
    const [spans, visits] = await Promise.all([probe.end(), guest.end()]);
    this.#tail.read();
    const outcomes = await this.#snapshot('at the end', 'all');
    this.#check(spans, outcomes);
    for (const damage of visits.damaged) this.#faults.add('whoever opens the queue can read it', damage);
    const totalMs = performance.now() - startedAt;
    const counted = { seed, tasks, planned, totalMs, gaveUp: this.#gaveUp, snapshots: this.#snapshots, visits };
    const seen = { ...counted, kills: this.#kills, lives: this.#lives, lines: this.#tail.lines, spans, outcomes };
    return { seen, faults: this.#faults };
  }

  close() {
    this.#command.end();
    this.#tail.close();
    closeSync(this.#log);
  }

  async #killAll() {
    for (const kill of planKills(this.#settings.seed, this.#settings.kills)) {
      if (!(await this.#due(kill))) break;
      await this.#kill(kill);
    }
    while (!(await this.#succeeded()));
  }

  #start() {
    const command = new RunningCommand(this.#place, this.#log, this.#isSupervised());
    this.#lives.push({ pid: command.pid, killedAt: undefined });
    return command;
  }

  /** Waits for the moment of a kill; false when the run has come to its end before. @param {import('./plan.mjs').Kill} kill */
  async #due({ progress = 0, delayMs }) {
    for (;;) {
      this.#look();
      if (this.#tail.ended.size >= progress * this.#settings.tasks) break;
      if (this.#command.exitCode !== undefined && (await this.#succeeded())) return false;
      await sleep(LOOK_MS);
    }
    await sleep(delayMs);
    return this.#command.exitCode === undefined || !(await this.#succeeded());
  }

  /** @param {import('./plan.mjs').Kill} kill */
  async #kill(kill) {
    const { supervised } = this.#command;
    const strike = await this.#command.strike(kill);
    if (strike === undefined) return; // it ended by itself in this very moment
    const { victim, at, isOver, woken } = strike;
    this.#tail.read();
    this.#kills.push({ victim, how: kill.how, supervised, at, progress: this.#tail.ended.size });
    if (isOver) {
      const life = /** @type {import('./checker.mjs').Life} */ (this.#lives.at(-1));
      life.killedAt = at;
      this.#command = this.#start();
    }
    await woken;
    const count = this.#kills.length;
    await this.#snapshot(`after kill ${count}`, count % ALL_EVERY === 0 ? 'all' : 'newest');
  }

  /** Waits for the end of the command; starts it again unless it says that all is done. */
  async #succeeded() {
    const before = this.#tail.ended.size;
    while (this.#command.exitCode === undefined) {
      this.#look();
      await sleep(LOOK_MS);
    }
    const { exitCode } = this.#command;
    if (exitCode === 0) return true;
    this.#tail.read();
    this.#gaveUp++;
    this.#barrenStarts = this.#tail.ended.size > before ? 0 : this.#barrenStarts + 1;
    if (exitCode === 3 || this.#barrenStarts > MAX_BARREN_STARTS) {
      this.#faults.add('the command comes to its end', `it ended with code ${exitCode}`);
      return true;
    }
    this.#command = this.#start();
    return false;
  }

  /** Reads what tasks have written. Throws when they have not done so for too long. */
  #look() {
    this.#tail.read();
    const now = performance.now();
    if (this.#tail.lines.length > this.#linesSeen) {
      this.#linesSeen = this.#tail.lines.length;
      this.#lastLineAt = now;
    } else if (now - this.#lastLineAt > STANDSTILL_MS) {
      throw new Standstill(`for ${STANDSTILL_MS / 1000} s no task has started or ended`);
    }
  }

  /** @param {string} when @param {'all' | 'newest'} extent */
  async #snapshot(when, extent) {
    this.#snapshots++;
    const outcomes = await readOutcomes(this.#place, extent === 'all' ? 0 : this.#lastOrdinal);
    this.#lastOrdinal = outcomes.at(-1)?.ordinal ?? this.#lastOrdinal;
    this.#history.observe(when, outcomes, extent);
    return outcomes;
  }

  /** @param {readonly import('./checker.mjs').LockSpan[]} spans @param {readonly import('./checker.mjs').RecordedOutcome[]} outcomes */
  #check(spans, outcomes) {
    const { lines } = this.#tail;
    const tasks = new Map(this.#tasks.map(({ id, input }) => [id, answer(input.number)]));
    checkOutcomes(this.#faults, { tasks, outcomes, lines });
    checkExecutors(this.#faults, lines, outcomes);
    checkLock(this.#faults, spans, this.#lives);
    checkResults(this.#faults, readResultIds(this.#place.results), outcomes);
  }
}
