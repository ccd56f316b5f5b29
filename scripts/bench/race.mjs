// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environmentOf } from './build.mjs';

/**
 * Gives one figure a round.
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Promise<number>} measure
 */

/**
 * Rounds of all contenders in turn, A B C A B C, so that a noisy minute falls on all.
 * @param {readonly Contender[]} contenders
 * @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} the figures by name, one a round
 */
export async function race(contenders, rounds) {
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (let round = 0; round < rounds; round++) {
    for (const { name, measure } of contenders) (figures[name] ??= []).push(await twiceAtMost(measure));
  }
  return figures;
}

/**
 * One failure of one contender does not cost the whole run, but it is told.
 * @param {() => Promise<number>} measure
 */
async function twiceAtMost(measure) {
  try {
    return await measure();
  } catch (error) {
    process.stderr.write(` [measured again: ${/** @type {Error} */ (error).message}]`);
    return measure();
  }
}

/**
 * Runs a script of this folder in a process, and so on a heap, of its own.
 * @param {string} script
 * @param {object} settings as the script finds them with `settingsOfProcess`
 * @param {string} [dist] of the build that it is to measure; by default that of this checkout
 * @param {readonly string[]} [flags] of Node
 * @returns {Promise<number>} the figure that it sent
 */
export async function figureOf(script, settings, dist, flags) {
  const figure = Number(await messageOf(script, settings, dist, flags));
  if (Number.isNaN(figure)) throw new Error(`${script} ${JSON.stringify(settings)} told no figure`);
  return figure;
}

/**
 * @param {string} script
 * @param {object} settings
 * @param {string} [dist] as in `figureOf`
 * @param {readonly string[]} [flags] of Node
 * @returns {Promise<any>} what it sent
 */
export async function messageOf(script, settings, dist, flags = []) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path, [JSON.stringify(settings)], { env: environmentOf(dist), execArgv: [...flags] });
  /** @type {unknown} */
  let told;
  child.once('message', (message) => (told = message));
  const [code, signal] = await once(child, 'close');
  if (code !== 0 || told === undefined) {
    throw new Error(
      `${script} ${JSON.stringify(settings)} ended with ${signal ?? code}, and told ${JSON.stringify(told)}`,
    );
  }
  return told;
}

/** @returns {any} */
export function settingsOfProcess() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** @param {number} figure */
export function tellFigure(figure) {
  process.send?.(figure);
  process.disconnect?.();
}

/** Every contender warms up alike: at least so many repetitions, and so long. */
const MIN_REPETITIONS = 8;
const MIN_MS = 2000;

/**
 * Repeats until everything is warm.
 * @param {() => Promise<number>} repetition
 * @returns {Promise<number[]>} the figures of the later half
 */
export async function warm(repetition) {
  const figures = [];
  const start = performance.now();
  while (figures.length < MIN_REPETITIONS || performance.now() - start < MIN_MS) figures.push(await repetition());
  return figures.slice(Math.floor(figures.length / 2));
}
