import { join } from 'node:path';
import type { Executor } from '../runtime/executor.js';
import { readHealth } from '../runtime/health/snapshot.js';
import { filesOpenIn } from '../system/process-files.js';
import { HEALTH_FILE, QUEUE_FILE, StateDir } from '../system/state-dir.js';
import { formatDuration } from '../base/units.js';
import { boot, RUN_ID, type Booted } from './boot.js';
import { Checkpoints, type Checkpoint, type SmokeResult } from './checkpoints.js';
import { bootHasEnded } from './conditions/boot-has-ended.js';
import type { Evidence } from './conditions/built-in.js';
import { Contender } from './contender.js';
import type { SmokeEvent } from './context.js';
import { EventLog } from './event-log.js';
import { takeEvents } from './event-source.js';
import { leftSince, takeInventory, type Inventory } from './leftovers.js';
import {
  assertPostConditions,
  isFailure,
  runPostConditions,
  type PostCondition,
  type PostConditionResult,
} from './post-conditions.js';
import type { SmokeSettings } from './settings.js';
import { temporaryFolder } from './temporary-folder.js';
import { Cancelled, LATE, Waiting } from './waiting.js';

/** Of steps that do not wait for an event. */
const LEAST_LIMIT_MS = 8_000;

/** How a smoke test went. */
export interface SmokeReport {
  result: SmokeResult;
  checkpoints: readonly Checkpoint[];
  postConditions: readonly PostConditionResult[];
  /** What ended it, if the result is `exception`. */
  error: Error | undefined;
}

export interface SmokeControl {
  /** Ends the test; its reason names the signal that cancelled it, or is the error that nobody caught. */
  signal: AbortSignal;
  onCheckpoint(checkpoint: Checkpoint, soFar: Pick<SmokeReport, 'postConditions'>): void;
  /** The executor is up. */
  onBoot(executor: Executor): void;
  /** It is about to be stopped, and then what was left behind is looked for: waited for, and no time is set for it. */
  onStopping?(): Promise<void>;
}

/** A deadline's timer runs while its post-condition looks for timers. */
const TIMERS_OF_A_CHECK = 1;

/** How long a post-condition waits for what is on its way, such as the next beat, in ms. */
const PATIENCE_MS = 3_000;

/** How long a test that was cancelled, or failed, waits for what it has started to end, in ms. */
const CLEANUP_MS = 1_000;

/**
 * Boots a run of its own in a temporary folder, waits for its first event to
 * come through a thread to a durable outcome, and looks whether all is as it
 * ought to be. Never throws. When the process exits, nothing is left of it.
 */
export async function runSmokeTest(settings: SmokeSettings, control: SmokeControl): Promise<SmokeReport> {
  return new SmokeTest(settings, control).run();
}

class SmokeTest {
  readonly #settings: SmokeSettings;
  readonly #control: SmokeControl;
  readonly #checkpoints: Checkpoints;
  readonly #waiting: Waiting;
  readonly #source = new AbortController();
  readonly #results: PostConditionResult[] = [];
  #contender: Contender | undefined;
  #booting: Promise<Booted> | undefined;

  constructor(settings: SmokeSettings, control: SmokeControl) {
    this.#settings = settings;
    this.#control = control;
    this.#waiting = new Waiting(control.signal);
    const now = () => performance.now();
    const soFar = { postConditions: this.#results };
    this.#checkpoints = new Checkpoints(now, (checkpoint) => control.onCheckpoint(checkpoint, soFar));
  }

  async run(): Promise<SmokeReport> {
    this.#checkpoints.reach(1);
    this.#checkpoints.reach(2, ` (${formatDuration(this.#settings.timeoutMs)})`);
    let result: SmokeResult;
    let error: Error | undefined;
    try {
      result = await this.#conduct();
    } catch (thrown) {
      error = thrown instanceof Cancelled ? undefined : asError(thrown);
      result = thrown instanceof Cancelled ? 'cancelled' : 'exception';
    }
    await this.#cleanUp();
    const reason: unknown = this.#control.signal.reason;
    if (reason instanceof Error && error === undefined) [result, error] = ['exception', reason];
    const signal = result === 'cancelled' ? ` (${String(reason)})` : '';
    this.#checkpoints.reach(8, `: ${result.toUpperCase()}${signal}`);
    return { result, checkpoints: this.#checkpoints.reached, postConditions: this.#results, error };
  }

  async #conduct(): Promise<SmokeResult> {
    const { timeoutMs } = this.#settings;
    const before = takeInventory();
    const deadline = performance.now() + timeoutMs;
    this.#checkpoints.reach(3);
    this.#contender = new Contender();
    const dir = temporaryFolder();
    this.#booting = boot(this.#settings, { dir, signal: this.#control.signal });
    const booted = await this.#waiting.within(timeoutMs, this.#booting);
    if (booted === LATE) {
      // It may never end: nobody waits for it any more.
      this.#booting = undefined;
      this.#checkpoints.reach(6, ': the boot has not ended');
      await this.#run([bootHasEnded], null);
      this.#tellConditions();
      return 'stalled';
    }
    const { executor } = booted;
    this.#control.onBoot(executor);
    this.#checkpoints.reach(4);
    const log = new EventLog(executor, this.#settings.handler.choose(executor.handlers));
    const first = await this.#firstEvent(executor, log, deadline);
    this.#source.abort();
    if (first) {
      this.#checkpoints.reach(5, ` (${first.id}, thread ${first.heard[0]?.thread ?? 'unknown'})`);
      await this.#waiting.within(timeoutMs, log.settled());
    }
    await this.#check(booted, log, { dir, before, stalled: first === undefined });
    this.#tellConditions();
    if (first === undefined) return 'stalled';
    assertPostConditions(this.#results);
    return 'success';
  }

  /** `undefined` when none came in time, or none can come any more. */
  async #firstEvent(executor: Executor, log: EventLog, deadline: number): Promise<SmokeEvent | undefined> {
    const failed = new Promise<never>((_, reject) => {
      if (executor.error) reject(executor.error);
      else executor.once('failed', reject);
    });
    const first = log.first();
    const taken = takeEvents(this.#settings.eventSource, this.#source.signal, (event) => log.submit(event));
    const ended = taken.then(() => (log.events.length === 0 ? undefined : first));
    const event = await this.#waiting.within(deadline - performance.now(), Promise.race([first, ended, failed]));
    if (event !== LATE && event !== undefined) return event;
    const stuck = log.events.find(({ told }) => told === null);
    const why = stuck ? `: ${stuck.id} has no outcome` : event === undefined ? ': the event source has ended' : '';
    this.#checkpoints.reach(6, why);
    return undefined;
  }

  /** Runs all post-conditions; between those that need a running executor and the others, stops it. */
  async #check(
    { executor, beats }: Booted,
    log: EventLog,
    { dir, before, stalled }: { dir: string; before: Inventory; stalled: boolean },
  ): Promise<void> {
    // Loaded only now, as they bring the lock's native part along: the process that contends for it starts the sooner.
    const [{ decoded, outcomesOnDisk }, { AFTER_STOP, WHILE_RUNNING }] = await Promise.all([
      import('../runs/recorded-outcomes.js'),
      import('./conditions/built-in.js'),
    ]);
    const { timeoutMs, threads, postConditions } = this.#settings;
    const { runDir } = executor;
    const { events, strays } = log;
    const lock = { path: new StateDir(dir).lockPath(RUN_ID), runId: RUN_ID };
    const healthFile = join(runDir, HEALTH_FILE);
    // Shorter than the deadline of a condition, so that it can say what it waited for in vain.
    const patienceMs = Math.min(PATIENCE_MS, timeoutMs / 2);
    const evidence: Evidence = {
      runId: RUN_ID,
      lock,
      contend: () => this.#contender!.contend(lock),
      threads,
      beats,
      events,
      strays,
      recorded: () => decoded(executor.encoded.outcomes()),
      healthFile,
      queueFile: join(runDir, QUEUE_FILE),
      openFiles: () => filesOpenIn(process.pid),
      left: () => leftSince(before, { ownTimers: TIMERS_OF_A_CHECK, patienceMs }),
      patienceMs,
    };
    await this.#run(WHILE_RUNNING, evidence);
    const status = await this.#inTime(executor.status(), 'the executor has not answered with its status');
    const { snapshot } = readHealth(healthFile);
    await this.#waiting.for(this.#control.onStopping?.() ?? Promise.resolve());
    const force = events.some(({ told }) => told === null);
    await this.#inTime(executor.stop({ force }), 'the executor has not stopped');
    await this.#run(AFTER_STOP, { ...evidence, recorded: () => outcomesOnDisk(runDir) });
    if (postConditions.length === 0) return;
    const outcomes = await this.#inTime(outcomesOnDisk(runDir), 'the queue could not be read again');
    await this.#run(postConditions, { runId: RUN_ID, runDir, stalled, events, outcomes, status, snapshot });
  }

  /** What does not wait for an event: a short timeout for that one leaves it all the same time. @throws Error `what` … in vain */
  async #inTime<T>(promise: Promise<T>, what: string): Promise<T> {
    const limitMs = Math.max(this.#settings.timeoutMs, LEAST_LIMIT_MS);
    const got = await this.#waiting.within(limitMs, promise);
    if (got === LATE) throw new Error(`${what} within ${formatDuration(limitMs)}`);
    return got;
  }

  async #run<Context>(conditions: readonly PostCondition<Context>[], context: Context): Promise<void> {
    const deadline = this.#settings.timeoutMs;
    this.#results.push(...(await this.#waiting.for(runPostConditions(conditions, context, { deadline }))));
  }

  #tellConditions(): void {
    this.#checkpoints.reach(7, this.#results.some(isFailure) ? ' FAILED' : ' PASSED');
  }

  /** Ends what is still running, each for itself, and waits for none of it for long. */
  async #cleanUp(): Promise<void> {
    this.#source.abort();
    const ended = Promise.allSettled([
      this.#booting?.then(({ executor }) => executor.stop({ force: true })),
      this.#contender?.end(),
    ]);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, CLEANUP_MS)))]);
    clearTimeout(timer);
  }
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
