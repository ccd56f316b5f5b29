import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../runtime/at-exit.js';
import type { Executor } from '../runtime/executor.js';
import { StateDir } from '../runtime/state-dir.js';
import { formatDuration } from '../runtime/units.js';
import { bootExecutor, exportOf, RUN_ID } from './boot.js';
import { Checkpoints, type Checkpoint, type SmokeResult } from './checkpoints.js';
import { AFTER_STOP, WHILE_RUNNING, type Evidence } from './conditions.js';
import { Contender } from './contender.js';
import type { SmokeContext, SmokeEvent } from './context.js';
import { EventLog } from './event-log.js';
import { takeEvents } from './event-source.js';
import { leftSince, takeInventory, type Inventory } from './leftovers.js';
import {
  assertPostConditions,
  isFailure,
  runPostConditions,
  unchecked,
  type PostCondition,
  type PostConditionResult,
} from './post-conditions.js';
import type { SmokeSettings } from './settings.js';
import { Cancelled, LATE, Waiting } from './waiting.js';

/** How a smoke test went. */
export interface SmokeReport {
  result: SmokeResult;
  checkpoints: readonly Checkpoint[];
  postConditions: readonly PostConditionResult[];
  /** What ended it, if the result is `exception`. */
  error: Error | undefined;
}

export interface SmokeControl {
  /** Cancels the test; its reason names the signal that did. */
  signal: AbortSignal;
  onCheckpoint(checkpoint: Checkpoint, soFar: Pick<SmokeReport, 'postConditions'>): void;
  /** The executor is up. */
  onBoot(executor: Executor): void;
}

/** A deadline's timer runs while its post-condition looks for timers. */
const TIMERS_OF_A_CHECK = 1;

/** How long a test that was cancelled, or failed, waits for what it has started to end, in ms. */
const CLEANUP_MS = 2_000;

/**
 * Boots a run of its own in a temporary folder, waits for its first event to
 * come through a thread to a durable outcome, and looks whether all is as it
 * ought to be. Never throws; leaves nothing behind, however it ends.
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
  #booting: Promise<Executor> | undefined;

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
    const folder = temporaryFolder();
    try {
      result = await this.#conduct(folder.path);
    } catch (thrown) {
      error = thrown instanceof Cancelled ? undefined : asError(thrown);
      result = thrown instanceof Cancelled ? 'cancelled' : 'exception';
    }
    await this.#cleanUp();
    folder.remove();
    const signal = result === 'cancelled' ? ` (${String(this.#control.signal.reason)})` : '';
    this.#checkpoints.reach(8, `: ${result.toUpperCase()}${signal}`);
    return { result, checkpoints: this.#checkpoints.reached, postConditions: this.#results, error };
  }

  async #conduct(dir: string): Promise<SmokeResult> {
    const { timeoutMs } = this.#settings;
    const before = takeInventory();
    this.#checkpoints.reach(3);
    const deadline = performance.now() + timeoutMs;
    this.#contender = new Contender();
    this.#booting = bootExecutor(this.#settings, dir);
    const executor = await this.#waiting.within(timeoutMs, this.#booting);
    if (executor === LATE) {
      this.#checkpoints.reach(6, ': the boot has not ended');
      const all = [...WHILE_RUNNING, ...AFTER_STOP, ...this.#settings.postConditions];
      this.#results.push(...unchecked(all, 'the boot has not ended'));
      this.#tellConditions();
      return 'stalled';
    }
    this.#control.onBoot(executor);
    this.#checkpoints.reach(4);
    const log = new EventLog(executor, exportOf(this.#settings.handler, executor.handlers));
    const first = await this.#firstEvent(executor, log, deadline);
    this.#source.abort();
    if (first) {
      this.#checkpoints.reach(5, ` (${first.id}, thread ${first.heard[0]?.thread ?? 'unknown'})`);
      await this.#waiting.within(timeoutMs, log.settled());
    }
    await this.#check(executor, log, { dir, before, stalled: first === undefined });
    this.#tellConditions();
    if (first === undefined) return 'stalled';
    assertPostConditions(this.#results);
    return 'success';
  }

  /** `undefined` when none came in time, or none can come any more. */
  async #firstEvent(executor: Executor, log: EventLog, deadline: number): Promise<SmokeEvent | undefined> {
    const failed = new Promise<never>((_, reject) => executor.once('failed', reject));
    const done = log.first();
    const dry = takeEvents(this.#settings.eventSource, this.#source.signal, (event) => log.submit(event)).then(() =>
      log.events.length === 0 ? undefined : done,
    );
    const first = await this.#waiting.within(deadline - performance.now(), Promise.race([done, dry, failed]));
    if (first !== LATE && first !== undefined) return first;
    this.#checkpoints.reach(
      6,
      log.events.length > 0 ? whatIsStuck(log) : first === LATE ? '' : ': the event source ended',
    );
    return undefined;
  }

  async #check(
    executor: Executor,
    log: EventLog,
    { dir, before, stalled }: { dir: string; before: Inventory; stalled: boolean },
  ): Promise<void> {
    const { decoded, outcomesOnDisk } = await import('./recorded.js');
    const { timeoutMs, postConditions } = this.#settings;
    const { runDir } = executor;
    const lock = { path: new StateDir(dir).lockPath(RUN_ID), runId: RUN_ID };
    const evidence: Evidence = {
      lock,
      contend: () => this.#contender!.contend(lock),
      events: log.events,
      strays: log.strays,
      recorded: () => decoded(executor.outcomes()),
      left: () => leftSince(before, TIMERS_OF_A_CHECK),
    };
    await this.#run(WHILE_RUNNING, evidence);
    const status = await this.#waiting.for(executor.status());
    const unfinished = log.events.some(({ told }) => told === null);
    const stopped = await this.#waiting.within(timeoutMs, executor.stop({ force: unfinished }));
    if (stopped === LATE) throw new Error(`the executor has not stopped within ${formatDuration(timeoutMs)}`);
    await this.#run(AFTER_STOP, { ...evidence, recorded: () => outcomesOnDisk(runDir) });
    const outcomes = await outcomesOnDisk(runDir);
    const context: SmokeContext = { runId: RUN_ID, runDir, stalled, events: log.events, outcomes, status };
    await this.#run(postConditions, context);
  }

  async #run<Context>(conditions: readonly PostCondition<Context>[], context: Context): Promise<void> {
    const deadline = this.#settings.timeoutMs;
    this.#results.push(...(await this.#waiting.for(runPostConditions(conditions, context, { deadline }))));
  }

  #tellConditions(): void {
    this.#checkpoints.reach(7, this.#results.some(isFailure) ? ' FAILED' : ' PASSED');
  }

  /** Ends what is still running, each for itself, and none of it for long. */
  async #cleanUp(): Promise<void> {
    this.#source.abort();
    const ended = Promise.allSettled([
      this.#booting?.then((executor) => executor.stop({ force: true })),
      this.#contender?.end(),
    ]);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, CLEANUP_MS)))]);
    clearTimeout(timer);
  }
}

function whatIsStuck(log: EventLog): string {
  const stuck = log.events.find(({ told }) => told === null);
  return stuck === undefined ? '' : `: ${stuck.id} has no outcome`;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** For this user alone (0700); removed at the latest when the process exits. */
function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-smoke-'));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const forget = atExit(remove);
  return {
    path,
    remove: () => {
      remove();
      forget();
    },
  };
}
