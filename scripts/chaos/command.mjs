// @ts-check
/** The command under test, `runtime run`, and the processes it is made of. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { clock } from './evidence.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TASKS = fileURLToPath(new URL('tasks.mjs', import.meta.url));

/**
 * @typedef {object} Place where a run keeps what
 * @property {string} runId
 * @property {string} stateDir
 * @property {string} tasks task file
 * @property {string} results file of `--results`
 * @property {string} evidence
 */

/** One start of the command. */
export class RunningCommand {
  /** Exit code, or -1 when it was killed. @type {number | undefined} */
  exitCode;
  /** Resolves with the exit code. @type {Promise<number>} */
  ended;
  #child;

  /** @param {Place} place @param {number} log descriptor for what it prints */
  constructor(place, log) {
    const flags = [
      '--tasks',
      place.tasks,
      '--results',
      place.results,
      '--run-id',
      place.runId,
      '--dir',
      place.stateDir,
    ];
    // Of a supervisor that was killed, the executor may still be ending itself.
    const patience = ['--wait', '30s', '--threads', '2', '--concurrency', '2', '--quiet'];
    this.#child = spawn(process.execPath, [MAIN, 'run', TASKS, ...flags, ...patience], {
      stdio: ['ignore', log, log],
      env: { ...process.env, CHAOS_EVIDENCE: place.evidence },
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code) => resolve((this.exitCode = code ?? -1)));
    });
  }

  /** Of the supervisor. */
  get pid() {
    return /** @type {number} */ (this.#child.pid);
  }

  /** Kills at once; when there is no executor yet, or none just now, waits for it. @param {import('./plan.mjs').KillKind} kind */
  async kill(kind) {
    if (kind === 'executor') {
      for (;;) {
        const executor = childOf(this.pid);
        if (this.exitCode !== undefined) return undefined;
        if (executor !== undefined) return killed(() => process.kill(executor, 'SIGKILL'));
        await sleep(1);
      }
    }
    const executor = kind === 'both' ? childOf(this.pid) : undefined;
    if (this.exitCode !== undefined) return undefined;
    const at = killed(() => this.#child.kill('SIGKILL'));
    // No other process can have its number yet: it dies by itself only once it hears of its supervisor's death.
    if (executor !== undefined) process.kill(executor, 'SIGKILL');
    await this.ended;
    return at;
  }

  /** Ends what is left of it, when the harness itself gives up. */
  end() {
    if (this.exitCode === undefined) this.#child.kill('SIGKILL');
  }
}

/** @param {() => void} kill @returns {number} microseconds, just before */
function killed(kill) {
  const at = clock();
  kill();
  return at;
}

/** The process that another one has started. @param {number} pid @returns {number | undefined} */
export function childOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync('/proc/self/task') ? read(file) : pgrep(pid);
  const child = Number.parseInt(children, 10);
  return Number.isNaN(child) ? undefined : child;
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

/** Where there is no /proc. @param {number} pid */
function pgrep(pid) {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // it has no child
  }
}
