// @ts-check
/** Rows 9 and 10: events of a dry run, how many and how exactly in time. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { commandOf } from './build.mjs';
import { figureOf, race } from './race.mjs';
import { atLeastFigure, below, rowOfRace } from './row.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const MAIN = commandOf();

/** @type {Group} */
export const generating = {
  ids: [9],
  async measure() {
    const events = 2_000_000;
    const rounds = 5;
    const patterns = ['sequential', 'random', 'burst'];
    const contenders = patterns.map((pattern) => ({ name: pattern, measure: () => eventsPerSecond(pattern, events) }));
    const figures = await race(contenders, rounds);
    const common = {
      figures,
      id: 9,
      unit: /** @type {const} */ ('events/s'),
      peers: [],
      bar: atLeastFigure(500_000, '/s'),
    };
    const how =
      `\`runtime dry-run --emit\` of ${events.toLocaleString('en')} events, from spawn to exit, written to a pipe that is ` +
      `read as fast as they come; ${canPin ? 'all threads of the command on one core' : 'not pinned to a core'}; ${rounds} rounds.`;
    return patterns.map((pattern) =>
      rowOfRace({ ...common, what: `generating events as NDJSON, ${pattern}`, ours: pattern, how }),
    );
  },
};

/** @type {Group} */
export const pacing = {
  ids: [10],
  async measure() {
    const settings = { rate: 1_000, count: 5_000 };
    const rounds = 5;
    const contender = (/** @type {string} */ name) => ({
      name,
      measure: () => figureOf('./processes/pacing.mjs', { ...settings, contender: name }),
    });
    const figures = await race(['holdfast', 'setInterval'].map(contender), rounds);
    return [
      rowOfRace({
        figures,
        id: 10,
        what: `pacing ${settings.rate.toLocaleString('en')} events a second, p99 of actual minus planned`,
        unit: 'ms',
        ours: 'holdfast',
        peers: ['setInterval'],
        bar: below(2, 'ms'),
        how:
          `generateEvents of ${settings.count.toLocaleString('en')} events, nothing else in the process; setInterval(1) takes ` +
          `one event a tick, and what it is late by adds up; ${rounds} rounds.`,
      }),
    ];
  },
};

const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/**
 * For all threads of the process, those of the garbage collector included.
 * @param {readonly [string, ...string[]]} command
 * @returns {readonly [string, ...string[]]}
 */
const onOneCore = (command) => (canPin ? ['taskset', '-c', '0', ...command] : command);

/**
 * @param {string} pattern
 * @param {number} events
 */
async function eventsPerSecond(pattern, events) {
  /** @type {[string, ...string[]]} */
  const command = [process.execPath, MAIN, 'dry-run', '--emit', '--pattern', pattern, '--count', String(events)];
  const [file, ...args] = onOneCore(command);
  const start = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
  });
  const [code] = await once(child, 'close');
  if (code !== 0 || lines !== events) throw new Error(`dry-run --emit ended with ${code} after ${lines} events`);
  return (events * 1000) / (performance.now() - start);
}
