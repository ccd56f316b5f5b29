// @ts-check
/** The command under test, `runtime run`, and what is done to its processes. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { clock } from './evidence.mjs';
import { childOf } from './processes.mjs';

/** @typedef {import('./plan.mjs').Kill} Kill */
/** @typedef {import('./plan.mjs').Victim} Victim */

/** The modules of the command, or with BUNDLED=1 what `npm run build` makes of them: that is what users have. */
const MAIN = fileURLToPath(
  new URL(`../../dist/cli/${process.env['BUNDLED'] ? 'bundled/main.cjs' : 'main.js'}`, import.meta.url),
);
/** The longest that a start may take, the wait for the lock included. */
const START_MS = 60_000;

const TASKS = fileURLToPath(new URL('tasks.mjs', import.meta.url));

/**
 * @typedef {object} Place where a run keeps what
 * @property {string} runId
 * @property {string} stateDir
 * @property {string} tasks task file
 * @property {string} results file of `--results`
 * @property {string} evidence
 */

/**
 * @typedef {object} Strike what was done
 * @property {Victim} victim
 * @property {number} at just before the first signal, as `EvidenceLine.at`
 * @property {boolean} isOver whether the process of the command was killed
 * @property {Promise<unknown>} woken resolves when nobody is stopped any more
 */

/** One start of the command. */
export class RunningCommand {
  /** Exit code, or -1 when it was killed. @type {number | undefined} */
  exitCode;
  /** Resolves with the exit code. @type {Promise<number>} */
  ended;
  /** @readonly */
  supervised;
  #child;

  /** @param {Place} place @param {number} log descriptor for what it prints @param {boolean} supervised */
  constructor(place, log, supervised) {
    this.supervised = supervised;
    const flags = [
      '--tasks',
      place.tasks,
      '--results',
      place.results,
      '--run-id',
      place.runId,
      '--dir',
      place.stateDir,
      ...(supervised ? [] : ['--no-supervise']),
    ];
    // Of a supervisor that was killed, the executor may still be ending itself.
    const patience = ['--wait', '30s', '--threads', '2', '--concurrency', '2', '--quiet'];
    this.#child = spawn(process.execPath, [MAIN, 'run', TASKS, ...flags, ...patience], {
      stdio: ['ignore', log, log],
      env: { ...process.env, CHAOS_EVIDENCE: place.evidence, CHAOS_STATE: place.stateDir },
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code) => resolve((this.exitCode = code ?? -1)));
    });
  }

  /** Of the process that was started: the supervisor, or the executor if there is none. */
  get pid() {
    return /** @type {number} */ (this.#child.pid);
  }

  /**
   * Strikes at once; when there is no executor yet, or none just now, waits for it.
   *
   * @param {Kill} kill
   * @returns {Promise<Strike | undefined>} `undefined`: it ended by itself before
   */
  async strike({ victim: wanted, how, stopMs }) {
    const all = await this.#processes();
    if (all === undefined) return undefined;
    const { executor, keeper } = all;
    const victim = keeper === undefined ? 'executor' : wanted;
    // The parent first: it would start the other one again.
    const victims = [this.supervised ? keeper : undefined, executor, this.supervised ? undefined : keeper].filter(
      (pid) => pid !== undefined && (victim === 'both' || pid === all[victim]),
    );
    const other = victim === 'executor' ? keeper : executor;
    const at = clock();
    if (how === 'kill') return this.#struck({ victim, at, killed: signal(victims, 'SIGKILL') });
    signal(victims, 'SIGSTOP');
    if (how === 'stop, and kill the other' && other !== undefined) {
      const killed = signal([other], 'SIGKILL');
      const woken = sleep(stopMs).then(() => signal(victims, 'SIGCONT'));
      return this.#struck({ victim: victim === 'executor' ? 'keeper' : 'executor', at, killed, woken });
    }
    await sleep(stopMs);
    if (how === 'stop') return this.#struck({ victim, at, killed: [], woken: signal(victims, 'SIGCONT') });
    return this.#struck({ victim, at: clock(), killed: signal(victims, 'SIGKILL') });
  }

  /** Ends what is left of it, when the harness itself gives up. */
  end() {
    if (this.exitCode === undefined) this.#child.kill('SIGKILL');
  }

  /** Waits for the executor. @returns {Promise<Record<'executor', number> & Record<'keeper', number | undefined> | undefined>} */
  async #processes() {
    for (const deadline = performance.now() + START_MS; performance.now() < deadline;) {
      if (this.exitCode !== undefined) return undefined;
      const executor = this.supervised ? childOf(this.pid, 'executor') : this.pid;
      const keeper = this.supervised ? this.pid : childOf(this.pid, 'keeper');
      if (executor !== undefined) return { executor, keeper };
      await sleep(1);
    }
    throw new Error(`process ${this.pid} has started no executor for ${START_MS / 1000} s`);
  }

  /** @param {{ victim: Victim, at: number, killed: readonly number[], woken?: unknown }} what @returns {Promise<Strike>} */
  async #struck({ victim, at, killed, woken }) {
    const isOver = killed.includes(this.pid);
    if (isOver) await this.ended;
    return { victim, at, isOver, woken: Promise.resolve(woken) };
  }
}

/** @param {readonly (number | undefined)[]} pids @param {NodeJS.Signals} name @returns {number[]} those that were still there */
function signal(pids, name) {
  return pids
    .filter((pid) => pid !== undefined)
    .filter((pid) => {
      try {
        return process.kill(pid, name);
      } catch {
        return false; // no other process can have its number yet
      }
    });
}
