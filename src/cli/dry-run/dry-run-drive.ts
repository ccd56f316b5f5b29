/** `runtime dry-run` through an executor: from its start to the report. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UndoList } from '../../base/undo-list.js';
import { traitsOf } from '../../runtime/queue/open-queue.js';
import { drive } from '../../dryrun/drive.js';
import { Measurements } from '../../dryrun/measure/measurements.js';
import { markAsDryRun, unmarkUnused } from '../../dryrun/own-run.js';
import { reportOf, type DryRunReport } from '../../dryrun/measure/report.js';
import { tally } from '../../dryrun/measure/tally.js';
import type { Executor } from '../../runtime/executor.js';
import { ProcessLock } from '../../system/lock/process-lock.js';
import { printableLines } from '../../base/printable.js';
import type { StopMessage } from '../../runtime/supervisor/messages.js';
import { hostRun } from '../../runs/host-run.js';
import { Stops } from '../../runs/stops.js';
import { StateDir } from '../../system/state-dir.js';
import { formatCount, formatDuration } from '../../base/units.js';
import { openRunTrace, sayWhere } from '../async-debug.js';
import { chooseHandler } from '../arguments/choose-handler.js';
import { hasColor } from '../screen/color.js';
import { Display } from '../screen/display.js';
import type { DryRunFlags } from './dry-run-flags.js';
import { formatReport } from './dry-run-report.js';
import { RecentRate } from '../../base/recent-rate.js';
import { EXIT, exitCodeOfSignal } from '../exit-code.js';
import { StopRequests } from '../stop-requests.js';
import { paceOf } from '../screen/pace.js';
import { print } from '../screen/terminal.js';

/** @throws what keeps it from starting, and what the executor fails of */
export async function driveEvents(flags: DryRunFlags): Promise<number> {
  const { runId, dir } = flags.executor;
  const stateDir = new StateDir(dir);
  // While it starts, the first request ends that in good order, so that what was made is taken away again.
  const stops = new Stops(new StopRequests().onStop);
  const undo = new UndoList();
  try {
    undo.add(() => stateDir.removeUnused());
    const runDir = stateDir.ensureRunDir(runId);
    const lock = new ProcessLock({ path: stateDir.lockPath(runId), runId });
    await lock.acquire();
    undo.add(() => lock.release());
    undo.add(() => {
      if (!lock.stillHeld()) return;
      unmarkUnused(runDir);
      stateDir.removeUnusedRunDir(runId);
    });
    if (traitsOf(flags.executor).outlivesProcess) markAsDryRun(runDir, runId);
    const trace = await openRunTrace({ runDir, runId });
    if (trace !== undefined && !flags.quiet) sayWhere(trace);
    let dryRun!: DryRun;
    const hosted = await hostRun(flags.executor, {
      start: { lock, fresh: true, dryRun: true, captureOutput: true },
      stops,
      trace,
      hosts: async ({ executor }) => {
        dryRun = new DryRun(flags, executor, await Display.create(flags));
        return { stop: (stop) => dryRun.stop(stop), resume: () => dryRun.resume(), drain: () => dryRun.drain() };
      },
    });
    undo.add(() => hosted.end());
    return await dryRun.run();
  } catch (error) {
    if (error === stops.endStart.reason) return exitCodeOfSignal(stops.early!.signal);
    throw error;
  } finally {
    await undo.undo();
  }
}

class DryRun {
  readonly #flags: DryRunFlags;
  readonly #executor: Executor;
  readonly #display: Display;
  readonly #measurements: Measurements;
  readonly #rate = new RecentRate();
  /** Ends the arrivals. */
  readonly #stop = new AbortController();
  #stoppedBy: NodeJS.Signals | 'drain' | undefined;
  #forced = false;
  /** All events have their outcomes, or wait for another start: nothing is left to be ended early. */
  #isOver = false;
  #tellDrained!: () => void;
  readonly #drained = new Promise<void>((resolve) => (this.#tellDrained = resolve));

  constructor(flags: DryRunFlags, executor: Executor, display: Display) {
    this.#flags = flags;
    this.#executor = executor;
    this.#display = display;
    this.#measurements = new Measurements(flags.plan);
  }

  /** @returns the exit code */
  async run(): Promise<number> {
    const executor = this.#executor;
    const { plan, executor: options } = this.#flags;
    const handler = chooseHandler(options.handlers, this.#flags.handler, executor.handlers, asFlag(options.handlers));
    this.#display.listen(executor);
    try {
      this.#display.follow(() => this.#progress());
      const driven = drive(executor, plan, { handler, measurements: this.#measurements, signal: this.#stop.signal });
      await Promise.race([driven, this.#drained]);
      this.#isOver = true;
      this.#display.close();
      return await this.#conclude();
    } catch (error) {
      // Then it was stopped by force, and nothing can be read back.
      if (this.#forced) return exitCodeOfSignal(this.#stoppedBy as NodeJS.Signals);
      throw error;
    } finally {
      this.#display.close();
    }
  }

  /** The first signal ends the arrivals, and waits for what was sent; a second one interrupts that. */
  stop({ signal, force }: StopMessage): void {
    const display = this.#display;
    if (force) {
      this.#forced = true;
      this.#stoppedBy = signal;
      const grace = formatDuration(this.#flags.executor.graceMs);
      display.say(`${signal} again: interrupted tasks have ${grace} to stop; there is no report`);
      void this.#executor.stop({ force: true });
      return;
    }
    this.#stoppedBy = signal;
    this.#stop.abort();
    const { submitted, ended } = this.#measurements;
    if (ended === submitted) return display.say(`${signal}: no more events`);
    const waiting = `waiting for ${formatCount(submitted - ended)} of ${formatCount(submitted)} that were sent`;
    const again = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    display.say(`${signal}: no more events; ${waiting}\n  ${again} again interrupts them`);
  }

  /** Another terminal lets a paused dry run go on; one that was drained ends all the same. */
  resume(): void {
    if (this.#stoppedBy !== 'drain') this.#executor.resume();
  }

  /** Another terminal asked for its end. */
  drain(): void {
    if (this.#isOver) return;
    this.#stoppedBy ??= 'drain';
    this.#stop.abort();
    this.#display.say('drain: no more events; what waits in the queue is left there');
    void this.#executor.drain().then(this.#tellDrained);
  }

  async #progress() {
    const { submitted, ended } = this.#measurements;
    const { counts, threads, mode, statistics } = await this.#executor.status();
    const { rate, count, durationMs } = this.#flags.plan;
    return {
      done: ended,
      failed: statistics.settled - statistics.outcomes.done,
      // Of a duration, about as many as this will come.
      total: Math.max(submitted, this.#stop.signal.aborted ? 0 : (count ?? Math.round((rate * durationMs!) / 1_000))),
      totalKnown: true,
      running: counts.running,
      ...paceOf(this.#rate, { done: ended, running: counts.running, mode }),
      busy: threads.filter((thread) => thread.state === 'busy').length,
      mode,
    };
  }

  async #conclude(): Promise<number> {
    const { plan, executor, json, quiet, color } = this.#flags;
    const { runId, dir } = executor;
    const { outlivesProcess } = traitsOf(executor);
    const stoppedBy = this.#stoppedBy;
    const found = await tally(this.#executor, this.#measurements.byType);
    const report = reportOf(plan, this.#measurements, found, { runId, stoppedBy });
    const words = { color: hasColor(process.stdout, color), dir, outlivesProcess };
    const text = json ? `${printableLines(JSON.stringify(report))}\n` : quiet ? '' : formatReport(report, words);
    await print(process.stdout, text);
    return exitCodeOf(report);
  }
}

/** What went wrong weighs more than that it was stopped. */
function exitCodeOf({ lost, duplicates, unfinished, outcomes, stoppedBy, events }: DryRunReport): number {
  if (lost > 0 || duplicates > 0) return EXIT.failure;
  if (stoppedBy !== null && stoppedBy !== 'drain') return exitCodeOfSignal(stoppedBy as NodeJS.Signals);
  return unfinished > 0 || outcomes.done < events ? EXIT.notAllDone : EXIT.ok;
}

function asFlag(module: string): (name: string) => string {
  const file = relative('', fileURLToPath(module));
  return (name) => `--handler ${file}#${name}`;
}
