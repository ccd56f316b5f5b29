import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Draw } from '../events/event-set.js';

type Generator = ReturnType<typeof xoroshiro128plus>;

/** xoroshiro128+ (Blackman and Vigna, https://prng.di.unimi.it), as pure-rand has it. */
class RandomDraw implements Draw {
  readonly #generator: Generator;

  constructor(generator: Generator) {
    this.#generator = generator;
  }

  float(): number {
    return uniformFloat64(this.#generator);
  }

  whole(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.whole(0, items.length - 1)]!;
  }
}

/** Streams of one seed that have nothing to do with each other. */
const STREAMS = { times: 1, types: 2, bodies: 3 } as const;

/**
 * What is drawn for one purpose does not disturb the others: arrivals are the
 * same whatever the events are made of. The streams are 2^64 numbers apart.
 *
 * None begins at the seed itself: the first number of xoroshiro128+ seeded with
 * a small number is always nearly the highest.
 *
 * @param seed a whole number from 0 to 2^32-1
 */
export function drawOf(seed: number, stream: keyof typeof STREAMS): Draw {
  const generator = xoroshiro128plus(seed);
  for (let jump = 0; jump < STREAMS[stream]; jump++) generator.jump();
  return new RandomDraw(generator);
}
