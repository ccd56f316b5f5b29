// @ts-check
/**
 * `npm run bench`: the figures of `docs/benchmarks.md`, measured side by side in
 * one run of about ten minutes. Every contender has a process of its own.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandOf } from './bench/build.mjs';
import { command } from './bench/command.mjs';
import { writeDocument } from './bench/document.mjs';
import { garbage } from './bench/garbage.mjs';
import { health } from './bench/health.mjs';
import { generating, pacing } from './bench/dry-run.mjs';
import { largeHeap, looks, suspended } from './bench/inspect.mjs';
import { acquireAndRelease, takeover } from './bench/lock.mjs';
import { machine } from './bench/machine.mjs';
import { memory } from './bench/memory.mjs';
import { cpu, durableLatency, io, latency, noop } from './bench/pools.mjs';
import { left, long } from './bench/long-runs.mjs';
import { restart } from './bench/restart.mjs';
import { smallCommands } from './bench/small-commands.mjs';
import { smoke } from './bench/smoke.mjs';
import { terminalTable } from './bench/table.mjs';
import { dumps, hooks } from './bench/trace.mjs';

const USAGE = `npm run bench -- [--only <row,row>] [--against <dist>] [--long <tasks>] [--json] [--strict] [--write]

  --only     measure some rows, such as 1,2,12
  --against  the folder dist of another build, which is measured in the same races
  --long     how many tasks a run of rows 22 and 23 has (default: 200000; before a release 1000000)
  --json     print one JSON document instead of the table
  --strict   exit with 1 when a bar is not met
  --write    put the figures into docs/benchmarks.md
`;

const groups = [
  ...[
    noop,
    cpu,
    io,
    latency,
    durableLatency,
    acquireAndRelease,
    takeover,
    memory,
    garbage,
    command,
    smallCommands,
    generating,
    pacing,
    health,
    smoke,
  ],
  ...[restart, left, long, dumps, hooks, looks, suspended, largeHeap],
];
const known = groups.flatMap(({ ids }) => ids);

const options = readOptions();
const around = machine();
const rows = [];
for (const group of groups) {
  const wanted = new Set(group.ids.filter((id) => options.only.has(id)));
  if (wanted.size === 0) continue;
  const start = performance.now();
  process.stderr.write(`measuring row ${[...wanted].join(' and ')} ...`);
  rows.push(...(await group.measure(wanted, options)));
  process.stderr.write(` ${Math.round((performance.now() - start) / 1000)} s\n`);
}
if (options.json) {
  const told = rows.map(({ bar, ...row }) => ({ ...row, ...(bar && { bar: bar.text, result: bar.judge(row) }) }));
  process.stdout.write(`${JSON.stringify({ schema: 1, machine: around, rows: told }, undefined, 2)}\n`);
} else process.stdout.write(terminalTable(rows));
if (options.write) writeDocument(around, rows);
if (options.strict && rows.some((row) => row.bar?.judge(row) === 'SHORT')) process.exitCode = 1;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        against: { type: 'string' },
        long: { type: 'string', default: '200000' },
        json: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
      },
    });
    const only = new Set(values.only?.split(',').map(Number) ?? known);
    for (const id of only) if (!known.includes(id)) throw new Error(`there is no row ${id}: ${known.join(', ')}`);
    const against = values.against === undefined ? undefined : resolve(values.against);
    if (against !== undefined && !existsSync(commandOf(against)))
      throw new Error(`${against} holds no build: name its folder dist`);
    const longTasks = Number(values.long);
    if (!Number.isInteger(longTasks) || longTasks < 1000)
      throw new Error('--long must be a whole number of at least 1000');
    if (values.write && only.size < known.length)
      throw new Error('--write needs all rows: figures of one table are of one run');
    return { ...values, only, against, longTasks };
  } catch (error) {
    process.stderr.write(`bench: ${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(64);
  }
}
