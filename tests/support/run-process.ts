import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ProcessLock } from '../../dist/system/lock/process-lock.js';
import type { OutcomeRecord } from '../../dist/runtime/queue/contract.js';
import { openSqliteQueueReader } from '../../dist/runtime/queue/sqlite/reader.js';
import { StateDir } from '../../dist/system/state-dir.js';
import { childOf } from '../../scripts/chaos/processes.mjs';
import { MAIN } from './command.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const HANDLERS = fileURLToPath(new URL('supervised-tasks.mjs', import.meta.url));

const RUN_ID = 'run-1';

type TaskLine = { id: string; handler: string; input?: unknown };

/** A folder with one run in it, and what can be seen of the run from outside. */
export class RunPlace {
  readonly dir = tempDir();
  readonly lock: ProcessLock;
  readonly runDir: string;
  readonly #stateDir: StateDir;

  constructor() {
    this.#stateDir = new StateDir(join(this.dir, 'state'));
    this.runDir = this.#stateDir.runDir(RUN_ID);
    this.lock = new ProcessLock({ path: this.#stateDir.lockPath(RUN_ID), runId: RUN_ID });
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** A task file; gives its path. */
  tasks(tasks: readonly TaskLine[]): string {
    writeFileSync(this.path('tasks.ndjson'), ndjson(tasks.map((task) => ({ input: null, ...task }))));
    return this.path('tasks.ndjson');
  }

  /** Starts `runtime run` on the handlers of `supervised-tasks.mjs`. */
  start(...args: string[]): RunProcess {
    return this.startModule(HANDLERS, ...args);
  }

  startModule(module: string, ...args: string[]): RunProcess {
    const flags = ['--run-id', RUN_ID, '--dir', this.#stateDir.root, '--threads', '2', ...args];
    return new RunProcess(['run', module, ...flags], { HOLD_DIR: this.dir });
  }

  /** Lets the tasks go that `hold` under this name. */
  letGo(name = 'go'): void {
    writeFileSync(this.path(name), '');
  }

  /** Resolves when the task runs. */
  async running(id: string): Promise<void> {
    await waitFor(`task ${id} to run`, () => existsSync(this.path(`${id}.runs`)));
  }

  async outcomes(): Promise<OutcomeRecord[]> {
    const reader = await openSqliteQueueReader(join(this.runDir, 'queue.db'));
    if (reader === undefined) return [];
    try {
      const outcomes: OutcomeRecord[] = [];
      for await (const outcome of reader.outcomes()) outcomes.push(outcome);
      return outcomes;
    } finally {
      await reader.close();
    }
  }

  /** Resolves when so many tasks have their outcome. */
  async recorded(count: number): Promise<void> {
    await waitFor(`${count} outcomes`, async () => (await this.outcomes()).length >= count);
  }

  /** State, attempts and crashes of each task. */
  async ends(): Promise<Record<string, string>> {
    const outcomes = await this.outcomes();
    return Object.fromEntries(
      outcomes.map(({ id, state, attempts, crashes }) => [id, `${state} attempts ${attempts} crashes ${crashes}`]),
    );
  }

  /** Asks for the lock all the time; the answer tells how often it was free and then held again. */
  watchLock(): () => { looks: number; gaps: number } {
    let looks = 0;
    let gaps = 0;
    let heldBefore = false;
    let free = false;
    const timer = setInterval(() => {
      looks++;
      const locked = this.lock.isLocked();
      if (locked && free) gaps++;
      heldBefore ||= locked;
      free = heldBefore && !locked;
    }, 1);
    onTestFinished(() => clearInterval(timer));
    return () => ({ looks, gaps });
  }
}

/** One start of the command, the leader of a process group of its own; it ends with the test at the latest. */
export class RunProcess {
  stdout = '';
  stderr = '';
  readonly stdin: Writable;
  /** Exit code, or the signal that ended it; known once all it printed has been read. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    });
    this.stdin = this.#child.stdin;
    this.stdin.on('error', () => {}); // it may end before it has read all
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => this.#child.once('close', (code, signal) => resolve(code ?? signal!)));
    onTestFinished(() => {
      try {
        this.signalBoth('SIGKILL');
      } catch {
        // Nobody is left.
      }
    });
  }

  /** Of the supervisor, if there is one. */
  get pid(): number {
    return this.#child.pid!;
  }

  get executorPid(): number | undefined {
    return childOf(this.pid, 'executor');
  }

  /** To the supervisor. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** To the supervisor and the executor. */
  signalBoth(signal: NodeJS.Signals): void {
    const executor = this.executorPid;
    this.signal(signal);
    if (executor !== undefined) process.kill(executor, signal);
  }

  /** Resolves with the pid of an executor process, once there is one beside `other`. */
  executor(other?: number): Promise<number> {
    return waitFor('an executor process', () => {
      const pid = this.executorPid;
      return pid === other ? undefined : pid;
    });
  }

  /** Resolves when the text was printed on standard error. */
  async told(text: string | RegExp): Promise<void> {
    await waitFor(`${String(text)} on standard error`, () =>
      typeof text === 'string' ? this.stderr.includes(text) : text.test(this.stderr),
    );
  }
}

export function ndjson(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Tasks that only give back what they got. */
export function echoes(count: number, prefix = 'echo'): TaskLine[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${prefix}-${index}`, handler: 'echo', input: index }));
}
