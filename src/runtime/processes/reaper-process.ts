/**
 * Started when an executor has died: ends what its tasks have left running.
 *
 * Arguments: the mark of the executor, its grace in ms. Standard input: the
 * process groups of running tasks, as `id:startTicks`, in any white space.
 */
import { readFileSync } from 'node:fs';
import { endChildren } from './children.js';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
const [mark, graceMs] = process.argv.slice(2) as [string, string];
const groups = readFileSync(0, 'utf8')
  .split(/\s+/)
  .filter(Boolean)
  .map((group) => group.split(':').map(Number) as [number, number])
  .map(([id, startTicks]) => ({ id, startTicks }));
await endChildren({ mark, groups }, Number(graceMs));
