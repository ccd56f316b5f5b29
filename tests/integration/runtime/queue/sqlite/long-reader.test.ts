/** Another program that reads for long keeps SQLite from tidying up its log: told at the end, mended at the next start. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { lines, place, started } from '../../../../support/command.js';

test('a long reader leaves a long log behind: its size is told, and the next start shrinks it', async () => {
  const here = place();
  here.write(
    'big.mjs',
    `import { existsSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     export default async (n) => {
       while (!existsSync('open')) await sleep(5);
       return n + 'x'.repeat(1_000_000);
     };`,
  );
  const run = here.start(['run', 'big.mjs', '--lines', '--threads', '1'], { input: lines(20) });
  await here.until('big', (status) => started(status) === 1);
  const path = join(here.dir, '.runtime', 'runs', 'big', 'queue.db');
  const reader = new Database(path, { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec('begin');
  reader.prepare('select count(*) from tasks').get();
  writeFileSync(join(here.dir, 'open'), '');

  const { exitCode, stderr } = await run;
  expect(stderr).toMatch(/another program still reads the queue: \d+(\.\d)?MB of it stay in .*queue\.db-wal/);
  expect(exitCode).toBe(0);
  const log = `${path}-wal`;
  expect(statSync(log).size).toBeGreaterThan(20_000_000);

  // It still reads: the next start must not wait for it, nor take its log away.
  const besides = await openSqliteQueue(path);
  expect(await besides.counts()).toMatchObject({ done: 20 });
  await besides.close();
  expect(statSync(log).size).toBeGreaterThan(20_000_000);

  reader.exec('commit');
  const queue = await openSqliteQueue(path);
  expect(statSync(log).size).toBeLessThan(1_000_000);
  expect(await queue.counts()).toMatchObject({ done: 20 });
  reader.close();
  await queue.close();
  expect(existsSync(log)).toBe(false);
});
