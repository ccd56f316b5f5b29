/** Records, counts and files that are not what was written: named, mended or refused, and the rest goes on. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import { lines, parsed, place, type Place } from '../../../../support/command.js';
import { startedExecutor } from '../../../../support/executors.js';
import { longTestAfter } from '../../../../support/long.js';
import { all, done, tasks } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';

/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];

const QUEUE = '.runtime/runs/work/queue.db';

function change(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

/** A run of 30 tasks, half of which have failed. */
async function ran(): Promise<Place> {
  const here = place();
  const ended = await here.runtime(['run', 'work.mjs', '--handler', 'odd', '--lines', ...ALONE], { input: lines(30) });
  expect(ended).toMatchObject({ exitCode: 3 });
  return here;
}

longTestAfter(3, [
  ['its error', `error = '{"name":"Ereor"zmessage"', state = 'failed'`],
  ['its result, in bytes', `result = x'ff0f5b'`],
  ['its state', `state = 'dpne'`],
  ['its error, which is no text', `error = x'00ff', state = 'failed'`],
  ['its result', `result = '{"a'`],
  ['its start', `started_at = 'x'`],
])('results with a damaged record (%s) name it, print all others, and end with 1', async (_, damage) => {
  const here = await ran();
  change(join(here.dir, QUEUE), `update outcomes set ${damage} where ordinal = 7`);
  const { exitCode, stdout, stderr } = await here.runtime(['results', 'work']);
  expect(stderr).toMatch(/^runtime: the record of task ".*" \(ordinal 7\) is damaged: its .*\n$/);
  expect(parsed(stdout)).toHaveLength(29);
  expect(exitCode).toBe(1);
});

test('a run goes on with a damaged record, writes all others to --results, and ends with 1', async () => {
  const here = await ran();
  change(join(here.dir, QUEUE), `update outcomes set error = 'x', state = 'failed' where ordinal = 7`);
  const args = ['run', 'work.mjs', '--handler', 'odd', '--lines', '--results', 'out.ndjson'];
  const { exitCode, stderr } = await here.runtime(args, { input: lines(40) });
  expect(stderr.match(/--results: the record of task .* is damaged/g)).toHaveLength(1);
  expect(exitCode).toBe(1);
  expect(parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8'))).toHaveLength(39);
});

longTestAfter(2, [
  ['queued', 'queued = 5', /0 queued, not 5/],
  ['running', 'running = 2', /0 queued, not 2/],
  ['delayed', 'delayed = 1', /0 delayed, not 1/],
  ['done', 'done = done + 3', /done, not/],
])('a run whose count of %s tasks is wrong says so, mends it, and ends', async (_, sql, says) => {
  const here = await ran();
  change(join(here.dir, QUEUE), `update run set ${sql}`);
  const { exitCode, stderr } = await here.runtime(['run', 'work.mjs', '--handler', 'odd', '--lines', ...ALONE], {
    input: lines(31),
  });
  expect(stderr).toMatch(/the counts of the queue disagreed with its tasks, and were mended/);
  expect(stderr).toMatch(says);
  expect(exitCode).toBe(3);
  const { counts } = await here.status('work');
  expect(counts).toMatchObject({ queued: 0, delayed: 0, running: 0, done: 16, failed: 15 });
});

test('a task that no count knows of runs all the same', async () => {
  const here = await ran();
  change(join(here.dir, QUEUE), 'delete from outcomes where ordinal = 1');
  await here.runtime(['run', 'work.mjs', '--handler', 'odd', '--lines', ...ALONE], { input: lines(30) });
  const { counts } = await here.status('work');
  expect(counts).toMatchObject({ queued: 0, done: 15, failed: 15 });
});

test.each(['queued = 2', 'running = 2', 'delayed = 2', 'suspect = 2'])(
  'counts that somebody else writes while it runs (%s) keep idle() from no end, and are written over',
  async (sql) => {
    const executor = await startedExecutor({ dir: tempDir(), durable: true });
    await executor.submit('echo', 1);
    const path = join(executor.runDir, 'queue.db');
    change(path, `update run set ${sql}`);
    await executor.idle();
    expect(await executor.counts()).toMatchObject({ queued: 0, running: 0, delayed: 0, done: 1 });
    await executor.stop();
    const reader = (await openSqliteQueueReader(path))!;
    expect(await reader.counts()).toMatchObject({ queued: 0, running: 0, delayed: 0, done: 1 });
    await reader.close();
  },
);

test('a task whose state is damaged is queued again', async () => {
  const path = join(tempDir(), 'queue.db');
  const queue = await openSqliteQueue(path);
  onTestFinished(() => queue.close());
  await queue.add(tasks(3, { priority: 1 }));
  const [first] = await queue.claim(1, 0);
  await queue.settle([done(first!)]);
  change(path, `update marks set state = 'qufued' where seq = 2`);
  expect(await queue.audit('start')).toEqual([{ state: 'unknown', was: 1, is: 0 }]);
  expect(await queue.audit('start')).toEqual([]);
  expect((await queue.claim(3, 0)).map(({ seq }) => seq)).toEqual([2, 3]);
  expect((await all(queue.outcomes())).map(({ id }) => id)).toEqual(['#1']);
});

const EMPTIED: [what: string, empty: (path: string) => void, says: RegExp][] = [
  [
    'of no bytes',
    (path) => truncateSync(path),
    /queue\.db is empty, and health\.json beside it tells of an earlier run/,
  ],
  [
    'gone, with its log left behind',
    (path) => {
      rmSync(path);
      writeFileSync(`${path}-wal`, 'x');
    },
    /queue\.db is not there, and queue\.db-wal beside it tells of an earlier run/,
  ],
];

test.each(EMPTIED)('a queue that is %s is not taken for a new one; --fresh takes it', async (_, empty, says) => {
  const here = await ran();
  empty(join(here.dir, QUEUE));
  const command = ['run', 'work.mjs', '--lines', '--handler', 'odd'];
  for (const args of [command, ['results', 'work']]) {
    const refused = await here.runtime(args, { input: lines(3) });
    expect(refused.stderr).toMatch(says);
    expect(refused.exitCode).toBe(1);
  }
  expect((await here.runtime(['status', 'work'])).stdout).toMatch(says);
  expect(await here.runtime([...command, '--fresh'], { input: '1\n3\n' })).toMatchObject({ exitCode: 0 });
});

test('one that was saved when it was lost is not forgotten either', async () => {
  const here = await ran();
  const saved = join(here.dir, '.runtime', 'work.saved-1.db');
  change(join(here.dir, QUEUE), `vacuum into '${saved}'`);
  rmSync(join(here.dir, '.runtime', 'runs', 'work'), { recursive: true });
  const refused = await here.runtime(['run', 'work.mjs', '--lines', '--handler', 'odd'], { input: lines(30) });
  expect(refused.stderr).toContain(`what was recorded is saved in ${saved}`);
  expect(refused.exitCode).toBe(1);
});
