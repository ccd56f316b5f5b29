/** How often tasks may start: in all threads together, retries included. */
export interface PaceSettings {
  /** At most so many starts within any period of that length; `undefined`: no limit. */
  rate: Rate | undefined;
  /** The shortest time from one start to the next, in ms; 0: none. */
  delayMs: number;
}

interface Rate {
  tasks: number;
  periodMs: number;
}

/**
 * Says when the next task may start. The period slides: there is none of that
 * length, wherever it begins, with more starts in it. Who counts in fixed
 * periods, or keeps a bucket that fills, sees twice as many around a boundary.
 *
 * A task is taken to start when it is handed to its thread, until it is known
 * when it did: a thread that has just loaded, or is busy, begins it later.
 */
export class Pace {
  readonly #delayMs: number;
  readonly #periodMs: number;
  /** When the last ones started, as a ring. */
  readonly #starts: Float64Array;
  /** Which tasks these were, and the place of each. */
  readonly #tasks: (object | undefined)[];
  readonly #places = new WeakMap<object, number>();
  /** The place of the oldest of them, and of the next one. */
  #oldest = 0;
  #last = -Infinity;
  readonly #onDue: () => void;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** `undefined` if nothing is limited. @param onDue called once a start may be, after there was no room for it */
  static of(settings: PaceSettings, clock: () => number, onDue: () => void): Pace | undefined {
    return settings.rate === undefined && settings.delayMs === 0 ? undefined : new Pace(settings, clock, onDue);
  }

  constructor({ rate, delayMs }: PaceSettings, clock: () => number, onDue: () => void) {
    this.#delayMs = delayMs;
    this.#periodMs = rate?.periodMs ?? 0;
    this.#starts = new Float64Array(rate?.tasks ?? 1).fill(-Infinity);
    this.#tasks = Array.from({ length: this.#starts.length });
    this.#onDue = onDue;
    this.#clock = clock;
  }

  /** How many tasks may start now, up to `most`. If none may, `onDue` is called when one may. */
  room(most: number): number {
    const now = this.#clock();
    const due = Math.max(this.#last + this.#delayMs, this.#starts[this.#oldest]! + this.#periodMs);
    if (due > now) {
      this.#callAt(due - now);
      return 0;
    }
    if (this.#delayMs > 0) return Math.min(1, most);
    const { length } = this.#starts;
    let room = 1;
    while (room < most && room < length && this.#starts[(this.#oldest + room) % length]! + this.#periodMs <= now)
      room++;
    return Math.min(room, most);
  }

  /** A task is handed to its thread. */
  took(task: object): void {
    this.#last = this.#clock();
    this.#starts[this.#oldest] = this.#last;
    this.#tasks[this.#oldest] = task;
    this.#places.set(task, this.#oldest);
    this.#oldest = (this.#oldest + 1) % this.#starts.length;
  }

  /** A task began; it may be said more than once. @param at on the clock of this pace */
  began(task: object, at: number): void {
    const place = this.#places.get(task);
    if (place === undefined || this.#tasks[place] !== task) return;
    this.#tasks[place] = undefined;
    this.#starts[place] = Math.max(at, this.#starts[place]!);
    this.#last = Math.max(at, this.#last);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #callAt(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#onDue();
    }, Math.ceil(ms));
  }
}
