/**
 * A process that works on a queue until it is killed or the disk fails, and
 * tells on stdout, line by line, what it was promised to be durable.
 *
 *   node queue-writer.mjs <path> work       adds, claims and settles for ever
 *   node queue-writer.mjs <path> fill       adds until it fails; then, per line on stdin, adds once more
 *   node queue-writer.mjs <path> open       opens and closes
 *   node queue-writer.mjs <path> read       opens to read, and counts
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openSqliteQueue } from '../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../dist/runtime/queue/sqlite/reader.js';

const [path, what] = process.argv.slice(2);
const tell = (fact) => writeSync(1, `${JSON.stringify(fact)}\n`);
const failed = (error) => tell({ failed: error.code, message: error.message, hint: error.hint });
const someTasks = (count, prefix) =>
  Array.from({ length: count }, (_, index) => ({
    id: prefix && `${prefix}-${index}`,
    handler: 'handle',
    input: JSON.stringify('x'.repeat(100)),
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
  }));

async function work(queue) {
  await queue.recover({ member: queue.predecessor, death: 'killed' }, 3);
  for (let round = 0; ; round += 1) {
    const [added, claimed] = await Promise.all([
      queue.add(someTasks(20, `${queue.member}-${round}`)),
      queue.claim(15, 0),
    ]);
    tell({ added: added.map((task) => task.id) });
    const results = claimed.map((task) => JSON.stringify(`${task.id} in ${queue.member}`));
    const { ordinals } = await queue.settle(
      claimed.map((task, index) => ({
        kind: 'outcome',
        claim: task,
        state: 'done',
        attempts: 1,
        crashes: 0,
        result: results[index],
        error: undefined,
        startedAt: 1,
        durationMs: 1,
        thread: 1,
      })),
    );
    tell({ settled: claimed.map((task, index) => [ordinals[index], task.id, results[index]]) });
  }
}

async function fill(queue) {
  const add = async () => tell({ added: (await queue.add(someTasks(100))).map((task) => task.id) });
  try {
    for (;;) await add();
  } catch (error) {
    failed(error);
  }
  for await (const _ of createInterface({ input: process.stdin })) await add().catch(failed);
  await queue.close();
}

try {
  if (what === 'read') {
    const reader = await openSqliteQueueReader(path);
    tell({ counts: await reader.counts() });
    await reader.close();
  } else {
    const queue = await openSqliteQueue(path);
    tell({ opened: queue.member });
    if (what === 'work') await work(queue);
    if (what === 'fill') await fill(queue);
    await queue.close();
  }
} catch (error) {
  failed(error);
}
