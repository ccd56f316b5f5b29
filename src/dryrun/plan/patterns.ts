import type { PATTERNS } from '../../options/dry-run-options.js';
import type { Draw } from '../events/event-set.js';

/** How arrivals are spread: see `pattern` of `GenerateOptions`. */
export type Pattern = (typeof PATTERNS)[number];

/** How many events a group has, both included. */
export interface BurstSize {
  min: number;
  max: number;
}

export interface Shape {
  pattern: Pattern;
  /** Mean events a second. */
  rate: number;
  /** Of the pattern `burst`. */
  burstSize: BurstSize;
}

/**
 * When events arrive: milliseconds from the start, fractions included, never
 * falling, without end. An open load model: nothing here knows how the system fares.
 */
export function plannedOffsets(shape: Shape, draw: Draw): Generator<number, never, undefined> {
  switch (shape.pattern) {
    case 'sequential':
      return evenly(shape);
    case 'random':
      return poisson(shape, draw);
    case 'burst':
      return bursts(shape, draw);
  }
}

function* evenly({ rate }: Shape): Generator<number, never, undefined> {
  // Multiplied, not summed up: a sum of a million steps is off by what each was rounded.
  for (let n = 0; ; n++) yield (n * 1_000) / rate;
}

/** Gaps of a Poisson process are exponentially distributed: the inverse of that distribution, at an even draw. */
function* poisson({ rate }: Shape, draw: Draw): Generator<number, never, undefined> {
  for (let at = 0; ;) {
    at += (-Math.log(1 - draw.float()) * 1_000) / rate;
    yield at;
  }
}

/** After a group the pause that it would have taken one by one: so the mean rate stays, whatever the sizes are. */
function* bursts({ rate, burstSize }: Shape, draw: Draw): Generator<number, never, undefined> {
  for (let before = 0; ;) {
    const size = draw.whole(burstSize.min, burstSize.max);
    const at = (before * 1_000) / rate;
    for (let event = 0; event < size; event++) yield at;
    before += size;
  }
}
