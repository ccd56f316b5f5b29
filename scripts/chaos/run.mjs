// @ts-check
/** One chaos run: start the command, kill, start again, until it ends. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkExecutors, checkLock, checkOutcomes, checkResults, Faults, OutcomeHistory } from './checker.mjs';
import { RunningCommand } from './command.mjs';
import { EvidenceTail } from './evidence.mjs';
import { LockProbe, readOutcomes, readResultIds } from './observer.mjs';
import { answer, planKills, planTasks } from './plan.mjs';

/** How often progress is looked at, in ms. */
const LOOK_MS = 2;
/** To read all outcomes takes 0.1 s in a large run, in which no kill can come: most snapshots read what is new. */
const ALL_EVERY = 10;
/** A command that ends so often without an outcome more will not come to its end at all. */
const MAX_BARREN_STARTS = 5;

/**
 * @param {{ seed: number, kills: number, tasks: number }} settings
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
  #gaveUp = 0;
  #barrenStarts = 0;
  /** @type {import('./checker.mjs').Life[]} */
  #lives = [];
  /** @type {import('./figures.mjs').KillMade[]} */
  #kills = [];
  #command;

  /** @param {string} folder @param {{ seed: number, kills: number, tasks: number }} settings */
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
    writeFileSync(this.#place.tasks, this.#tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
    this.#log = openSync(join(folder, 'command.log'), 'a');
    this.#tail = new EvidenceTail(this.#place.evidence);
    this.#command = this.#start();
  }

  async toItsEnd() {
    const startedAt = performance.now();
    const probe = new LockProbe(this.#place);
    await probe.started();
    for (const kill of planKills(this.#settings.seed, this.#settings.kills)) {
      if (!(await this.#due(kill))) break;
      await this.#kill(kill.kind);
    }
    while (!(await this.#succeeded()));
    const spans = await probe.end();
    this.#tail.read();
    const outcomes = await this.#snapshot('at the end', 'all');
    this.#check(spans, outcomes);
    const { seed, kills: planned, tasks } = this.#settings;
    const totalMs = performance.now() - startedAt;
    const counted = { seed, tasks, planned, totalMs, gaveUp: this.#gaveUp, snapshots: this.#snapshots };
    const seen = { ...counted, kills: this.#kills, lives: this.#lives, lines: this.#tail.lines, spans, outcomes };
    return { seen, faults: this.#faults };
  }

  close() {
    this.#command.end();
    this.#tail.close();
    closeSync(this.#log);
  }

  #start() {
    const command = new RunningCommand(this.#place, this.#log);
    this.#lives.push({ pid: command.pid, killedAt: undefined });
    return command;
  }

  /** Waits for the moment of a kill; false when the run has come to its end before. @param {import('./plan.mjs').Kill} kill */
  async #due({ progress = 0, delayMs }) {
    for (;;) {
      this.#tail.read();
      if (this.#tail.ended.size >= progress * this.#settings.tasks) break;
      if (this.#command.exitCode !== undefined && (await this.#succeeded())) return false;
      await sleep(LOOK_MS);
    }
    await sleep(delayMs);
    return this.#command.exitCode === undefined || !(await this.#succeeded());
  }

  /** @param {import('./plan.mjs').KillKind} kind */
  async #kill(kind) {
    const command = this.#command;
    const at = await command.kill(kind);
    if (at === undefined) return; // it ended by itself in this very moment
    this.#tail.read();
    this.#kills.push({ kind, at, progress: this.#tail.ended.size });
    if (kind !== 'executor') {
      const life = /** @type {import('./checker.mjs').Life} */ (this.#lives.at(-1));
      life.killedAt = at;
      this.#command = this.#start();
    }
    const count = this.#kills.length;
    await this.#snapshot(`after kill ${count}`, count % ALL_EVERY === 0 ? 'all' : 'newest');
  }

  /** Waits for the end of the command; starts it again unless it says that all is done. */
  async #succeeded() {
    const before = this.#tail.ended.size;
    const exitCode = await this.#command.ended;
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
