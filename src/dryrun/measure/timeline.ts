import type { Shape } from '../plan/patterns.js';

/** Columns of the timeline: it shows the beginning of a dry run, in a width that every terminal has. */
export const COLUMNS = 64;

/** How many events arrived in each column of time. */
export interface Timeline {
  /** Width of a column, ms. */
  columnMs: number;
  /** Arrivals in each column, from the start on. */
  planned: number[];
  actual: number[];
}

/**
 * Arrivals by time, as they were planned and as they were. Only the beginning
 * is kept: columns wide enough for all of a long dry run would show none of its shape.
 */
export class TimelineRecorder {
  readonly #columnMs: number;
  readonly #planned: number[] = new Array<number>(COLUMNS).fill(0);
  readonly #actual: number[] = new Array<number>(COLUMNS).fill(0);
  #endMs = 0;

  constructor(shape: Shape) {
    this.#columnMs = columnWidth(shape);
  }

  /** @param planned @param actual ms from the start */
  add(planned: number, actual: number): void {
    this.#count(this.#planned, planned);
    this.#count(this.#actual, actual);
    this.#endMs = Math.max(this.#endMs, planned, actual);
  }

  /** Without the columns behind the last arrival. */
  snapshot(): Timeline {
    const columns = Math.min(COLUMNS, this.#columnOf(this.#endMs) + 1);
    return {
      columnMs: this.#columnMs,
      planned: this.#planned.slice(0, columns),
      actual: this.#actual.slice(0, columns),
    };
  }

  #count(columns: number[], at: number): void {
    const column = this.#columnOf(at);
    if (column < COLUMNS) columns[column]!++;
  }

  #columnOf(at: number): number {
    // What is planned for the beginning of a column is not to miss it by the last digit of a fraction.
    return Math.floor(at / this.#columnMs + 1e-9);
  }
}

/** Below this, a column would show how exact timers are, rather than the pattern, ms. */
const MIN_EVEN_WIDTH_MS = 5;

/** As wide as shows the pattern best, ms. */
function columnWidth({ pattern, rate, burstSize }: Shape): number {
  const gap = 1_000 / rate;
  switch (pattern) {
    case 'sequential':
      // The same number in each: any other width would make the even uneven.
      return gap * Math.ceil(MIN_EVEN_WIDTH_MS / gap);
    case 'random':
      // Wide enough for a few arrivals, narrow enough to see how chance scatters them.
      return rounded(4 * gap);
    case 'burst':
      // From one burst to the next it is at least four of them.
      return rounded((gap * (burstSize.min + burstSize.max)) / 2 / 4);
  }
}

/** Down to one of 1, 2, 5, 10, 20, 50, … ms; not below 1 ms, about which timers are exact. */
function rounded(ms: number): number {
  let width = 1;
  for (let decade = 1; decade <= ms; decade *= 10) {
    for (const step of [1, 2, 5]) if (step * decade <= ms) width = step * decade;
  }
  return width;
}
