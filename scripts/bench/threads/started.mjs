// @ts-check
/** Tasks that write down when they start, and in which process. */
import { openSync, writeSync } from 'node:fs';
import { spin } from './handlers.mjs';

const file = openSync(/** @type {string} */ (process.env['BENCH_STARTED']), 'a');

const tell = () => writeSync(file, `${process.pid} ${process.hrtime.bigint()}\n`);

/** @param {number} rounds */
export function started(rounds) {
  tell();
  return spin(rounds);
}

let isFirst = true;

/** Does nothing; the first one of a thread writes it down. */
export function first() {
  if (isFirst) tell();
  isFirst = false;
}
