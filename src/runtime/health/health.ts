import type { ExecutorMode, HealthStatus, ProbeAnswers } from '../status.js';
import type { OutcomeState, TaskCounts, TaskErrorRecord } from '../task/task.js';
import type { ThreadSummary } from '../thread-status.js';
import { formatDuration } from '../../base/units.js';
import { BEAT_INTERVAL_MS, Heartbeat, type Beat, type Proof } from './heartbeat.js';
import { LastErrors } from './last-error.js';
import { noteOf } from './note.js';
import { answerProbes } from './probes.js';
import { processState } from '../../system/process-state.js';
import { SnapshotWriter, type SnapshotBody } from './snapshot-writer.js';
import type { HealthSnapshot } from './snapshot.js';

/** What the health of an executor is read from. */
export interface HealthSubject {
  runId: string;
  /** Where snapshots go. */
  file: string;
  /** Whether the last snapshot stays when the executor has stopped. */
  keep: boolean;
  mode(): ExecutorMode;
  threads(): ThreadSummary[];
  /** Asks the queue. */
  counts(): Promise<TaskCounts>;
  /** Asks the threads; settles within that many milliseconds. */
  rollCall(withinMs: number): Promise<{
    present: number[];
    /** `silentMs`: with work in it, and for so long; `null`: it is idle, and did not answer. */
    missing: { thread: number; silentMs: number | null }[];
  }>;
  /** Whether the lock of the run is held. */
  mayWrite(): boolean;
}

export interface HealthListener {
  onBeat(beat: Beat): void;
  onMissed(event: { reason: string; missed: number }): void;
  /** Snapshots cannot be written. Told once, until one can be. */
  onUnwritable(error: Error): void;
}

const NO_TASKS: TaskCounts = {
  queued: 0,
  delayed: 0,
  running: 0,
  done: 0,
  failed: 0,
  crashed: 0,
  'timed-out': 0,
  cancelled: 0,
};

/** The health of one executor: its heartbeat, its last error, and the snapshots that tell of both. */
export class Health {
  readonly #subject: HealthSubject;
  readonly #listener: HealthListener;
  readonly #heartbeat = new Heartbeat((withinMs) => this.#prove(withinMs));
  readonly #errors = new LastErrors();
  readonly #writer: SnapshotWriter;
  readonly #startedAt = Date.now();
  readonly #pidStartTicks = processState('self')?.startTicks ?? null;
  /** As the queue last told them. */
  #counts: TaskCounts = { ...NO_TASKS };
  #starting: NodeJS.Immediate | undefined;
  /** The answer of the queue that is still waited for. */
  #asked: Promise<TaskCounts> | undefined;
  #missedWhy: string | null = null;
  #failure: string | null = null;
  #unwritable = false;
  #stopped = false;
  /** When the beat before the last one came, and when a thread died last, as `performance.now()` counts. */
  #beforeLastBeat = 0;
  #threadDiedAt = 0;

  constructor(subject: HealthSubject, listener: HealthListener) {
    this.#subject = subject;
    this.#listener = listener;
    this.#writer = new SnapshotWriter({
      path: subject.file,
      mayWrite: () => subject.mayWrite(),
      body: () => this.#snapshot(),
      onWritten: (error) => this.#onWritten(error),
    });
    this.#heartbeat.on('beat', (beat) => this.#onBeat(beat));
    this.#heartbeat.on('missed', (event) => this.#onMissed(event));
  }

  /** In the next turn of the event loop: whoever made the executor is to hear its first beat. */
  start(): void {
    this.#starting = setImmediate(() => this.#heartbeat.start());
  }

  get status(): HealthStatus {
    const why = this.#failure ?? this.#missedWhy;
    return {
      healthy: why === null,
      why,
      lastBeat: this.#heartbeat.lastBeat,
      missedBeats: this.#heartbeat.missedBeats,
      lastError: this.#errors.latest,
    };
  }

  get #activity(): HealthSnapshot['activity'] {
    const mode = this.#mode;
    return { paused: mode === 'paused', draining: mode === 'draining', note: noteOf(mode, this.#counts) };
  }

  /** What the probes are told now; asks nobody. */
  probe(): ProbeAnswers {
    return answerProbes({ mode: this.#mode, health: this.status, threads: this.#subject.threads() });
  }

  /** An outcome was recorded. One that was cancelled is as it was meant to be. */
  settled({ state, error }: { state: OutcomeState; error: TaskErrorRecord | undefined }): void {
    if (state === 'done') this.#errors.clear('task');
    else if (state !== 'cancelled') this.#errors.set('task', error ?? { message: `a task ended ${state}` });
  }

  threadDied(thread: number, cause: Error): void {
    this.#threadDiedAt = performance.now();
    this.#errors.set('thread', { message: `thread ${thread} died: ${cause.message}` });
  }

  /** The executor has failed, for good. */
  failed(error: Error & { code?: string }): void {
    this.#failure = `the executor failed: ${error.message}`;
    this.#errors.set('executor', error);
  }

  /** The mode of the executor has changed. */
  async modeChanged(): Promise<void> {
    if (this.#subject.mode() === 'stopped') this.#endHeartbeat();
    if (this.#stopped) return;
    await this.#refresh();
    if (!this.#stopped) this.#writer.write();
  }

  /** Ends the heartbeat, while the queue and the threads are still there. */
  async stop(): Promise<void> {
    this.#endHeartbeat();
    await Promise.all([this.#refresh(), this.#writer.quiet()]);
    if (!this.#subject.keep) await this.#writer.remove();
  }

  /** After `stop`, with the lock still held: the last snapshot says so, if one is to stay. */
  async writeLast(): Promise<void> {
    if (this.#subject.keep) await this.#writer.written();
  }

  #endHeartbeat(): void {
    this.#stopped = true;
    clearImmediate(this.#starting);
    if (this.#heartbeat.running) this.#heartbeat.stop();
  }

  get #mode(): ExecutorMode {
    return this.#stopped ? 'stopped' : this.#subject.mode();
  }

  async #refresh(): Promise<void> {
    try {
      this.#counts = (await within(BEAT_INTERVAL_MS, this.#subject.counts())) ?? this.#counts;
    } catch {
      // A queue that fails is told by the executor, and by the next beat.
    }
  }

  async #prove(withinMs: number): Promise<Proof> {
    const [queue, { present, missing }] = await Promise.all([
      this.#askQueue(withinMs),
      this.#subject.rollCall(withinMs),
    ]);
    const threads = missing.map(({ thread, silentMs }) =>
      silentMs === null
        ? `thread ${thread} is idle and does not answer`
        : `thread ${thread} has been silent for ${formatDuration(Math.round(silentMs / 1000) * 1000)}`,
    );
    return { threads: present, missing: queue === undefined ? threads : [queue, ...threads] };
  }

  /** Gives what is wrong with the queue, if anything is. */
  async #askQueue(withinMs: number): Promise<string | undefined> {
    // One that hangs is not asked again and again.
    this.#asked ??= this.#subject.counts().finally(() => (this.#asked = undefined));
    try {
      const counts = await within(withinMs, this.#asked);
      if (counts === undefined) return `the queue did not answer within ${formatDuration(withinMs)}`;
      this.#counts = counts;
      return undefined;
    } catch (error) {
      return `the queue failed: ${(error as Error).message}`;
    }
  }

  #onBeat(beat: Beat): void {
    this.#missedWhy = null;
    this.#errors.clear('beat');
    // Threads turned all the while since: sooner, and no snapshot would tell of it.
    const died = this.#errors.of('thread');
    if (died && this.#threadDiedAt < this.#beforeLastBeat) this.#errors.clear('thread');
    this.#beforeLastBeat = performance.now();
    this.#writer.write();
    this.#listener.onBeat(beat);
  }

  #onMissed(event: { reason: string; missed: number }): void {
    this.#missedWhy = event.reason;
    this.#errors.set('beat', { message: event.reason });
    this.#writer.write();
    this.#listener.onMissed(event);
  }

  #onWritten(error: Error | undefined): void {
    if (error === undefined) {
      if (this.#unwritable && this.#failure === null) this.#errors.clear('executor');
      this.#unwritable = false;
      return;
    }
    const told = this.#unwritable;
    this.#unwritable = true;
    if (this.#failure === null) this.#errors.set('executor', error);
    if (!told) this.#listener.onUnwritable(error);
  }

  #snapshot(): SnapshotBody {
    return {
      runId: this.#subject.runId,
      pid: process.pid,
      pidStartTicks: this.#pidStartTicks,
      state: this.#mode,
      startedAt: this.#startedAt,
      updatedAt: Date.now(),
      counts: this.#counts,
      threads: this.#subject.threads(),
      lastBeat: this.#heartbeat.lastBeat,
      missedBeats: this.#heartbeat.missedBeats,
      lastError: this.#errors.latest,
      activity: this.#activity,
    };
  }
}

/** What a promise gives within `ms`, else `undefined`. The timer keeps no process alive. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // In the turn after: where this thread stood still itself, the answer is there, and only behind the timer.
    timer = setTimeout(() => setImmediate(resolve, undefined), ms).unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
