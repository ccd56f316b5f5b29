import { EventEmitter } from 'node:events';
import { formatDuration } from '../../base/units.js';

/** How often a heart beats, in ms. */
export const BEAT_INTERVAL_MS = 1000;

/** A beat younger than this shows that an executor lives which is too busy to answer: two and a half beats. In ms. */
export const HEARTBEAT_FRESH_MS = 2500;

/** Proof that the queue answers and that threads turn. */
export interface Beat {
  /** From 1, since the heartbeat was started. */
  count: number;
  /** Milliseconds since it was started, on a clock that never jumps. */
  uptimeMs: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** Milliseconds from the question to the last answer. */
  tookMs: number;
  /** Numbers of the threads that are proven to turn. Busy ones need not show it each time. */
  threads: number[];
}

/** What was found when everybody was asked. */
export interface Proof {
  /** Numbers of the threads that are proven to turn. */
  threads: number[];
  /** What should have answered and did not, a sentence each; none of them: it is a beat. */
  missing: string[];
}

export interface HeartbeatEvents {
  beat: [beat: Beat];
  /** No beat came when one was due. `missed`: so many since the last one, this one included. */
  missed: [event: { reason: string; missed: number }];
}

/**
 * Asks once a second, the first time at once, whether everybody answers; tells
 * of each beat, and of each that did not come.
 *
 * Time is `performance.now()`, which no setting of the clock moves. The timer
 * keeps no process alive. Nothing is caught up: after a pause of the process
 * the missed beats are counted, and the rhythm begins anew.
 */
export class Heartbeat extends EventEmitter<HeartbeatEvents> {
  readonly #prove: (withinMs: number) => Promise<Proof>;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** Raised by each start and stop: what was asked before then is not told any more. */
  #generation = 0;
  #running = false;
  #startedAt = 0;
  /** Uptime at the last stop: it grows no more. */
  #endedAfterMs = 0;
  #count = 0;
  #lastBeat: Beat | null = null;
  #missedBeats = 0;
  #missedInARow = 0;

  /** @param prove must settle within `withinMs`, or at least try to */
  constructor(prove: (withinMs: number) => Promise<Proof>, intervalMs = BEAT_INTERVAL_MS) {
    super();
    this.#prove = prove;
    this.#intervalMs = intervalMs;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Beats since the last start. */
  get count(): number {
    return this.#count;
  }

  /** Milliseconds since the last start; after a stop, up to that. */
  get uptimeMs(): number {
    return this.#running ? performance.now() - this.#startedAt : this.#endedAfterMs;
  }

  get lastBeat(): Beat | null {
    return this.#lastBeat;
  }

  /** Beats that did not come, since the last start. */
  get missedBeats(): number {
    return this.#missedBeats;
  }

  /** Those of them since the last beat; 0: all is well. */
  get missedInARow(): number {
    return this.#missedInARow;
  }

  /** Starts from zero. One that is running goes on as it is, with a warning. */
  start(): void {
    if (this.#running) return warn('it was started, and is running already');
    this.#running = true;
    this.#generation++;
    this.#startedAt = performance.now();
    this.#count = 0;
    this.#lastBeat = null;
    this.#missedBeats = 0;
    this.#missedInARow = 0;
    void this.#tick(this.#startedAt);
  }

  /** Nothing is told from here on. One that is not running gets a warning. */
  stop(): void {
    if (!this.#running) return warn('it was stopped, and is not running');
    this.#endedAfterMs = this.uptimeMs;
    this.#running = false;
    this.#generation++;
    clearTimeout(this.#timer);
  }

  /** @param dueAt when this was to happen, as `performance.now()` counts */
  async #tick(dueAt: number): Promise<void> {
    const generation = this.#generation;
    const askedAt = performance.now();
    const lateMs = askedAt - dueAt;
    if (lateMs > this.#intervalMs) {
      const why = `the event loop of the executor stood still for ${formatDuration(lateMs)}`;
      this.#miss(Math.floor(lateMs / this.#intervalMs), why);
    }
    const proof = await this.#prove(this.#intervalMs).catch((error: Error) => ({
      threads: [],
      missing: [error.message],
    }));
    // Stopped meanwhile, perhaps by a listener.
    if (generation !== this.#generation) return;
    try {
      if (proof.missing.length === 0) this.#beat(proof.threads, askedAt);
      else this.#miss(1, proof.missing.join('; '));
    } finally {
      // Whatever a listener throws: the heart beats on.
      if (generation === this.#generation) this.#wait(lateMs > this.#intervalMs ? askedAt : dueAt);
    }
  }

  /** @param since when the last beat was due */
  #wait(since: number): void {
    const dueAt = since + this.#intervalMs;
    this.#timer = setTimeout(() => void this.#tick(dueAt), Math.max(0, dueAt - performance.now())).unref();
  }

  #beat(threads: number[], askedAt: number): void {
    const tookMs = performance.now() - askedAt;
    this.#missedInARow = 0;
    this.#lastBeat = { count: ++this.#count, uptimeMs: this.uptimeMs, at: Date.now(), tookMs, threads };
    this.emit('beat', this.#lastBeat);
  }

  #miss(missed: number, reason: string): void {
    this.#missedBeats += missed;
    this.#missedInARow += missed;
    this.emit('missed', { reason, missed: this.#missedInARow });
  }
}

function warn(what: string): void {
  process.emitWarning(`heartbeat: ${what}`, { type: 'HoldfastWarning', code: 'HOLDFAST_HEARTBEAT' });
}
