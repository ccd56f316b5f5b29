// @ts-check
/** What the pools run: the same functions for every contender. */
import { setTimeout as delay } from 'node:timers/promises';

/** Takes its input and does nothing. */
export function noop() {}

/**
 * A fixed amount of work, whoever else has the processor meanwhile: a loop on
 * the clock would do less of it the more it is disturbed.
 * @param {number} rounds
 */
export function spin(rounds) {
  let x = 88172645;
  for (let i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** @param {number} input */
export function double(input) {
  return 2 * input;
}

/** As a task that awaits a database or a server. @param {number} ms */
export async function wait(ms) {
  await delay(ms);
}
