/**
 * The vital signs of one thread, in memory that it shares with the main thread.
 *
 * A thread that spins cannot send a message, but what it last wrote here can
 * be read; and what the main thread writes here, a handler that polls
 * `signal.aborted` in a tight loop can see.
 *
 * A thread has `lanes`, one for each task it may have in flight. A lane works
 * through one batch at a time, in order. Per lane, the board holds
 *
 *   taken    how many tasks of the batch were taken up (taking is one atomic
 *            step, so the main thread can take the rest away at any instant)
 *   current  position of the running task in its batch, plus one; 0: none
 *   abort    whom to abort, and why: (position + 1) * 8 + reason, and 4 more as
 *            long as the task is not to know. It names the task, so an abort
 *            that comes too late never hits the next one
 *   since    when the running task started, milliseconds since the epoch
 */
import {
  atomicsAdd,
  atomicsExchange,
  atomicsLoad,
  atomicsStore,
  getHeapStatistics,
  min,
  performanceNow,
} from './own.js';

const HEADER_BYTES = 24;
const LANE_BYTES = 24;
const TAKEN = 0;
const CURRENT = 1;
const ABORT = 2;

/** An abort that counts already, and is not delivered yet. */
const HELD = 4;
const ABORT_BITS = 3;

/** More than any batch holds: a lane whose `taken` stands here finds nothing left to take. */
const ALL_TAKEN = 1 << 30;

export const AbortReason = { timeout: 1, cancel: 2, stop: 3 } as const;
export type AbortReason = (typeof AbortReason)[keyof typeof AbortReason];

/**
 * Where this thread's `performance.now()` begins, on the one clock that all
 * threads of a process share. `performance.timeOrigin` is no such thing: each
 * thread takes it from the system's clock when it is made, and that clock
 * jumps, when it is set or when the machine slept.
 */
const beganAt = Number(process.hrtime.bigint()) / 1e6 - performance.now();
let { timeOrigin } = performance;
let readClock = () => performance.now();

/** Milliseconds since the epoch on a clock that never jumps; threads that follow it agree on it. */
export function now(): number {
  return timeOrigin + readClock();
}

/** How far the system's clock is ahead of `now`, as far as it was seen. */
let ahead = -Infinity;

/** How often both clocks are read again before it counts as set back. */
const CLOCK_READINGS = 4;

/** An instant of `now`, as the system's clock shows it: what is recorded, and read by people. */
export function wallTime(instant: number): number {
  let seen = Date.now() - now();
  // Interrupted between the two clocks, it seems to be less: on a busy machine twice in a row, hardly more often.
  for (let again = 0; seen <= ahead - 1 && again < CLOCK_READINGS; again++) seen = Date.now() - now();
  // That clock is read in whole milliseconds, cut off: it never seems further ahead than it is, and at most a
  // millisecond less. So the furthest that was seen is nearest to the truth, until somebody sets the clock.
  if (seen > ahead || seen <= ahead - 1) ahead = seen;
  return instant + ahead;
}

/** What another thread needs to `followClock`. */
export function clock(): number {
  return timeOrigin - beganAt;
}

/** From here on, `now` agrees with that of the thread whose `clock` it was. */
export function followClock(other: number): void {
  timeOrigin = other + beganAt;
}

/** From here on, `now` reads the clock itself, whatever is put into the place of `performance.now`. */
export function keepOwnClock(): void {
  readClock = performanceNow;
}

export interface RunningTask {
  /** Position in the lane's batch, from 0. */
  position: number;
  /** Milliseconds since the epoch. */
  since: number;
}

export class ThreadBoard {
  readonly lanes: number;
  /** When the event loop last turned; bytes of heap; bytes of external memory. */
  readonly #header: Float64Array;
  readonly #ints: Int32Array[] = [];
  readonly #since: Float64Array[] = [];

  /** Memory for a thread with that many lanes. */
  static allocate(lanes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES + lanes * LANE_BYTES);
  }

  constructor(buffer: SharedArrayBuffer) {
    this.lanes = (buffer.byteLength - HEADER_BYTES) / LANE_BYTES;
    this.#header = new Float64Array(buffer, 0, 3);
    for (let lane = 0; lane < this.lanes; lane++) {
      const offset = HEADER_BYTES + lane * LANE_BYTES;
      this.#since.push(new Float64Array(buffer, offset, 1));
      this.#ints.push(new Int32Array(buffer, offset + 8, 3));
    }
  }

  /** When the thread's event loop last turned, milliseconds since the epoch; 0: never yet. */
  get lastBeat(): number {
    return this.#header[0]!;
  }

  beat(): void {
    this.#header[0] = now();
  }

  /** Bytes that the thread had in use when it last looked: on its heap, and outside of it (buffers and the like). */
  get memory(): { heap: number; external: number } {
    return { heap: this.#header[1]!, external: this.#header[2]! };
  }

  /** Thread: looks how much memory it uses. */
  measure(): void {
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
    this.#header[1] = heap;
    this.#header[2] = external;
  }

  /** Main thread: makes the lane ready for a new batch. It must be empty. */
  reset(lane: number): void {
    const ints = this.#ints[lane]!;
    atomicsStore(ints, CURRENT, 0);
    atomicsStore(ints, ABORT, 0);
    atomicsStore(ints, TAKEN, 0);
  }

  /** Thread: takes up the next task of a batch of `size`; `undefined` when nothing is left. */
  take(lane: number, size: number): number | undefined {
    const position = atomicsAdd(this.#ints[lane]!, TAKEN, 1);
    return position < size ? position : undefined;
  }

  /** Main thread: takes away what the lane has not taken up yet; gives the position of the first such task. */
  takeRest(lane: number, size: number): number {
    return min(atomicsExchange(this.#ints[lane]!, TAKEN, ALL_TAKEN), size);
  }

  /** Thread: the task at `position` starts now; gives that instant. */
  begin(lane: number, position: number): number {
    const since = now();
    this.#since[lane]![0] = since;
    atomicsStore(this.#ints[lane]!, CURRENT, position + 1);
    return since;
  }

  /** Thread: the running task has ended. */
  end(lane: number): void {
    atomicsStore(this.#ints[lane]!, CURRENT, 0);
  }

  running(lane: number): RunningTask | undefined {
    const current = atomicsLoad(this.#ints[lane]!, CURRENT);
    if (current === 0) return undefined;
    return { position: current - 1, since: this.#since[lane]![0]! };
  }

  /**
   * Main thread: asks the task at `position` to abort.
   * @param held what ends from now on counts as aborted, and the task is not told before it is asked again without this
   */
  requestAbort(lane: number, position: number, reason: AbortReason, held = false): void {
    atomicsStore(this.#ints[lane]!, ABORT, ((position + 1) << ABORT_BITS) | (held ? HELD : 0) | reason);
  }

  /** Whether, and why, the task at `position` was asked to abort. */
  abortRequest(lane: number, position: number): AbortReason | undefined {
    const word = this.#abortWord(lane, position);
    return word === undefined ? undefined : ((word & ~HELD) as AbortReason);
  }

  /** The same, once the task may know. */
  abortToDeliver(lane: number, position: number): AbortReason | undefined {
    const word = this.#abortWord(lane, position);
    return word === undefined || (word & HELD) !== 0 ? undefined : (word as AbortReason);
  }

  #abortWord(lane: number, position: number): number | undefined {
    const word = atomicsLoad(this.#ints[lane]!, ABORT);
    return word >> ABORT_BITS === position + 1 ? word & ((1 << ABORT_BITS) - 1) : undefined;
  }
}
