/** What is shown of a run while it goes on, all of it on standard error. */
import type { Executor } from '../../runtime/executor.js';
import type { TasksStuck } from '../../runtime/executor-events.js';
import { printableLines } from '../../base/printable.js';
import type { ExecutorStatus } from '../../runtime/status.js';
import { formatCount, formatDuration } from '../../base/units.js';
import { createLog, type Log } from './log.js';
import { OutputLines } from './output-lines.js';
import { createProgress, type Progress, type ProgressData } from './progress.js';
import type { RunFlags } from '../run/run-flags.js';
import { taskName } from './task-name.js';

/** How often progress is shown, in ms. */
const PROGRESS_INTERVAL_MS = 100;

/** Tasks that are named in one line. */
const MAX_NAMED = 5;

type DisplayFlags = Pick<RunFlags, 'quiet' | 'color' | 'plain'>;

export class Display {
  readonly #quiet: boolean;
  readonly #progress: Progress;
  readonly #log: Log;
  readonly #output: OutputLines;
  #timer: NodeJS.Timeout | undefined;
  /** Beats that were missed since the last one. */
  #missedBeats = 0;

  static async create(flags: DisplayFlags): Promise<Display> {
    return new Display(flags, await createProgress(flags));
  }

  private constructor(flags: DisplayFlags, progress: Progress) {
    this.#quiet = flags.quiet;
    this.#progress = progress;
    this.#log = createLog({ quiet: flags.quiet, color: flags.color, print: progress.print });
    this.#output = new OutputLines(progress.print);
  }

  /** Shows what the executor tells of its tasks and threads. */
  listen(executor: Executor): void {
    executor.on('log', ({ level, message, fields, taskId, thread }) => {
      if (level !== 'debug') this.#log[level]({ task: taskId, thread, ...fields }, message);
    });
    executor.on('output', (text, stream, thread) => this.#output.add(`${thread} ${stream}`, text));
    executor.on('thread-died', ({ thread, cause, tasks }) => {
      this.#log.warn({ thread, tasks: tasks.slice(0, MAX_NAMED) }, `thread died: ${cause.message}`);
    });
    executor.on('teardown-failed', ({ thread, cause }) => {
      this.#log.warn({ thread }, `teardown failed: ${cause.message}`);
    });
    executor.on('tasks-stuck', (stuck) => {
      const { thread, tasks, stuckAt } = stuck;
      const named = tasks.length === 1 ? { task: tasks[0] } : { tasks: tasks.slice(0, MAX_NAMED) };
      this.#log.warn({ thread, ...named }, `${stuckText(stuck)}; ${stuckAt}`);
    });
    executor.on('warning', ({ message }) => this.#log.warn(message));
    this.#listenToHeart(executor);
  }

  /** Told once for each spell, and when it is over. */
  #listenToHeart(executor: Executor): void {
    executor.on('beat-missed', ({ reason, missed }) => {
      if (this.#missedBeats === 0) this.#log.warn(`heartbeat missed: ${reason}`);
      this.#missedBeats = missed;
    });
    executor.on('beat', () => {
      if (this.#missedBeats === 0) return;
      this.#log.info(`heartbeat is back after ${formatCount(this.#missedBeats)} missed`);
      this.#missedBeats = 0;
    });
  }

  /** Shows progress from now on, and asks for it each time. */
  follow(look: () => Promise<ProgressData>): void {
    this.#timer = setInterval(() => {
      // A queue that has just failed gives none; that is told elsewhere.
      look().then(
        (data) => this.#timer && this.#progress.update(data),
        () => {},
      );
    }, PROGRESS_INTERVAL_MS);
  }

  /** A line of the command's own, unless `--quiet`. */
  say(text: string): void {
    if (!this.#quiet) this.#progress.print(`${printableLines(text)}\n`);
  }

  /** A line of the command's own that is shown with `--quiet`, too. */
  warn(text: string): void {
    this.#log.warn(text);
  }

  /** That the run ends, why, and what it waits for. */
  sayEnding(why: string, { threads }: ExecutorStatus, how: string): void {
    const running = threads.flatMap((thread) => thread.running.map(({ id, input }) => taskName(id, input)));
    if (running.length === 0) return this.say(`${why}: ending`);
    const named = running.slice(0, MAX_NAMED).join(', ');
    const more = running.length > MAX_NAMED ? `, and ${formatCount(running.length - MAX_NAMED)} more` : '';
    this.say(`${why}: waiting for ${taskCount(running.length, 'running')}: ${named}${more}\n  ${how}`);
  }

  /** Takes progress away, and shows what was still held back. Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#progress.stop();
    this.#output.flush();
  }
}

function stuckText({ why, tasks, runningMs, timeoutMs }: TasksStuck): string {
  const age = formatDuration(runningMs);
  const subject = tasks.length === 1 ? '' : `${taskCount(tasks.length)} `;
  switch (why) {
    case 'stalled':
      return `${subject}running for ${age}`;
    case 'silent':
      return `thread silent for ${age}: its event loop does not turn`;
    case 'timed-out':
      return `${subject}timed out after ${formatDuration(timeoutMs ?? runningMs)}`;
    case 'unyielding':
      return `${subject}did not stop when asked to: the thread is ended`;
  }
}

/** `1 task`, `2,000 running tasks`. */
export function taskCount(count: number, kind = ''): string {
  return `${formatCount(count)} ${kind}${kind && ' '}${count === 1 ? 'task' : 'tasks'}`;
}
