// @ts-check
/** One `runtime run` of many tasks that do nothing, watched from beside it. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { commandOf } from './build.mjs';
import { memoryOfTree } from './process-tree.mjs';
import { startsOf } from './starts.mjs';

const HANDLERS = fileURLToPath(new URL('./threads/started.mjs', import.meta.url));
const RUN_ID = 'long';
const LOOK_MS = 100;
const LINES_A_CHUNK = 10_000;

/**
 * @typedef {object} Watched what was seen of a run
 * @property {number} ms from spawn to exit
 * @property {{ at: number, processes: import('./process-tree.mjs').ProcessMemory[] }[]} looks `at`: ms since the start
 * @property {number} log the largest that the write-ahead log of the queue was, MB
 */

export class LongRun {
  #folder;
  #dist;
  #tasks;
  #evidence;

  /**
   * @param {string} folder for all that it leaves behind
   * @param {string} tasks file
   * @param {string | undefined} dist of another build
   */
  constructor(folder, tasks, dist) {
    this.#folder = folder;
    this.#tasks = tasks;
    this.#dist = dist;
    this.#evidence = join(folder, 'started');
    closeSync(openSync(this.#evidence, 'w'));
  }

  /** Starts the command, or the same command again. */
  start() {
    const command = spawn(
      process.execPath,
      [
        ...[commandOf(this.#dist), 'run', HANDLERS, '--handler', 'first', '--tasks', this.#tasks],
        ...['--threads', '2', '--run-id', RUN_ID, '--dir', this.#folder, '--wait', '30s', '--quiet'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, BENCH_STARTED: this.#evidence } },
    );
    return { command, startedAt: process.hrtime.bigint(), wallClock: Date.now(), words: text(command.stderr) };
  }

  /** Reads the outcomes as `runtime results | less` does that nobody goes on reading: a little, and no more. */
  readALittle() {
    return spawn(process.execPath, [commandOf(this.#dist), 'results', RUN_ID, '--dir', this.#folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /**
   * Runs it to its end.
   * @param {(ms: number) => void} [meanwhile] called at each look
   * @returns {Promise<Watched>}
   */
  async toItsEnd(meanwhile = () => {}) {
    const { command, startedAt, words } = this.start();
    const ms = () => Number(process.hrtime.bigint() - startedAt) / 1e6;
    /** @type {Watched} */
    const watched = { ms: NaN, looks: [], log: 0 };
    const timer = setInterval(() => {
      watched.looks.push({ at: ms(), processes: memoryOfTree(/** @type {number} */ (command.pid)) });
      watched.log = Math.max(watched.log, this.#bytes('-wal') / 1e6);
      meanwhile(ms());
    }, LOOK_MS);
    const code = await new Promise((resolve) => command.once('exit', resolve));
    watched.ms = ms();
    clearInterval(timer);
    if (code !== 0) throw new Error(`the run ended with ${code}: ${await words}`);
    return watched;
  }

  /** First starts of tasks, a line a thread. */
  get starts() {
    return startsOf(this.#evidence);
  }

  /** When the executor that wrote the last snapshot had started, by the clock on the wall. @returns {number} */
  get executorStartedAt() {
    try {
      return JSON.parse(readFileSync(this.#fileOfRun('health.json'), 'utf8')).startedAt;
    } catch {
      return 0; // there is none yet
    }
  }

  /** What the queue takes on disk, log and all, in bytes. */
  get size() {
    return this.#bytes('') + this.#bytes('-wal');
  }

  /** @param {string} suffix of a file of the queue */
  #bytes(suffix) {
    return statSync(this.#fileOfRun(`queue.db${suffix}`), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** @param {string} name */
  #fileOfRun(name) {
    const folder = join(this.#folder, 'runs');
    const [run = 'none yet'] = existsSync(folder) ? readdirSync(folder) : [];
    return join(folder, run, name);
  }
}

/** A task file of so many lines. @param {string} path @param {number} count */
export async function writeTasks(path, count) {
  async function* chunks() {
    for (let from = 0; from < count; from += LINES_A_CHUNK) {
      const size = Math.min(LINES_A_CHUNK, count - from);
      yield Array.from(
        { length: size },
        (_, i) => `{"input":"/data/photos/${String(from + i).padStart(10, '0')}.jpg"}\n`,
      ).join('');
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path));
}
