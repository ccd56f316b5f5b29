#!/usr/bin/env node
// @ts-check
/**
 * Kills a run again and again, and checks that it held what it promises:
 *
 *   npm run chaos -- [--kills 200] [--tasks 20000] [--seed <n>] [--long]
 *
 * --long: 1,000 kills of 100,000 tasks. With OTHER_NODES in the environment, the
 * visitor of the queue uses the SQLite of Node 22, 24 and 26, too, which npm fetches.
 *
 * Prints the seed and what was measured; exits with 1, and keeps all traces of
 * the run, if anything is wrong. What a seed repeats: see `chaos/plan.mjs`.
 */
import { parseArgs } from 'node:util';
import { describe } from './chaos/figures.mjs';
import { chaosRun, removeRun } from './chaos/run.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    tasks: { type: 'string' },
    seed: { type: 'string' },
    long: { type: 'boolean', default: false },
  },
});

/** @param {'kills' | 'tasks' | 'seed'} name @param {number} otherwise */
function wholeNumber(name, otherwise) {
  const text = values[name];
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`chaos: --${name} must be a whole number, got ${JSON.stringify(text)}`);
  process.exit(64);
}

/** Programs of other versions of Node. */
async function otherNodes() {
  if (!process.env['OTHER_NODES']) return [];
  const { findOtherNodes } = await import('./other-nodes.mjs');
  return (await findOtherNodes()).flatMap((found) => ('path' in found ? [found.path] : []));
}

const settings = {
  seed: wholeNumber('seed', Math.floor(Math.random() * 1e9)),
  kills: wholeNumber('kills', values.long ? 1000 : 200),
  tasks: wholeNumber('tasks', values.long ? 100_000 : 20_000),
  nodes: await otherNodes(),
};
console.error(`chaos: seed ${settings.seed}`);
const { seen, faults, folder } = await chaosRun(settings);
for (const line of describe(seen)) console.log(line);
for (const line of faults.lines()) console.log(`WRONG         ${line}`);
console.log(faults.count === 0 ? 'all that was promised held' : `${faults.count} faults; all traces are in ${folder}`);
if (faults.count === 0) removeRun(folder);
else process.exitCode = 1;
