/** The files of a queue are taken away while it is open: nothing more is told, and nothing that was told is lost. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import type { TaskQueue } from '../../../../../dist/runtime/queue/contract.js';
import { lines, parsed, place, started } from '../../../../support/command.js';
import { rejection, startedExecutor } from '../../../../support/executors.js';
import { all, done, tasks } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';

/** What there is to type, as the error tells it. */
function putBack(hint: string): void {
  execFileSync('sh', ['-c', /put the queue back: (.*)$/m.exec(hint)![1]!]);
}

async function openQueue(path: string, elsewhere: string[] = []): Promise<TaskQueue> {
  const queue = await openSqliteQueue(path, elsewhere);
  onTestFinished(() => queue.close().catch(() => {}));
  return queue;
}

const TAKEN_AWAY: Record<string, (path: string) => void> = {
  'the file is removed': (path) => rmSync(path),
  'the file is replaced by a copy of itself': (path) => {
    cpSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
  },
  'the log is removed': (path) => rmSync(`${path}-wal`),
  'the log is replaced': (path) => {
    rmSync(`${path}-wal`);
    writeFileSync(`${path}-wal`, '');
  },
  'the shared memory of the log is removed': (path) => rmSync(`${path}-shm`),
  'all of the folder is removed': (path) => rmSync(dirname(path), { recursive: true }),
};

test.each(Object.entries(TAKEN_AWAY))(
  'when %s, all that was recorded is saved, and can be put back',
  async (_, take) => {
    const root = tempDir();
    const path = join(root, "a run's", 'queue.db');
    mkdirSync(dirname(path), { mode: 0o700 });
    const queue = await openQueue(path, [join(root, 'elsewhere')]);
    await queue.add(tasks(3));
    const [first, second] = await queue.claim(3, 0);
    await queue.settle([done(first!)]);
    take(path);

    const error = await rejection(queue.settle([done(second!)]));
    expect(error).toMatchObject({ code: 'ERR_QUEUE_LOST' });
    await expect(queue.add(tasks(1))).rejects.toBe(error);
    await expect(queue.outcome('#1')).rejects.toBe(error);
    await expect(queue.check()).rejects.toBe(error);
    await expect(queue.close()).rejects.toBe(error);
    const copy = /saved in (.*)$/.exec(error.message)![1]!;
    expect(statSync(copy).mode & 0o777).toBe(0o600);

    putBack(error['hint'] as string);
    expect(existsSync(copy)).toBe(false);
    const again = await openQueue(path);
    expect(again.member).toBe(2);
    expect(await again.counts()).toMatchObject({ done: 2, queued: 1 });
    expect((await all(again.outcomes())).map(({ id }) => id)).toEqual(['#1', '#2']);
  },
);

test('a copy never takes the place of another file', async () => {
  const root = tempDir();
  writeFileSync(join(root, 'queue.saved-1.db'), 'kept');
  const queue = await openQueue(join(root, 'queue.db'));
  await queue.add(tasks(1));
  rmSync(join(root, 'queue.db'));
  await expect(queue.check()).rejects.toThrow(join(root, 'queue.saved-2.db'));
});

test('where nothing can be saved, the error says why', async () => {
  const root = tempDir();
  const path = join(root, 'run', 'queue.db');
  mkdirSync(dirname(path));
  const queue = await openQueue(path, [join(root, 'missing', 'queue')]);
  await queue.add(tasks(1));
  rmSync(dirname(path), { recursive: true });
  await expect(queue.check()).rejects.toMatchObject({
    code: 'ERR_QUEUE_LOST',
    message: expect.stringMatching(/could not be saved: ENOENT/) as string,
  });
});

test('an executor that is idle notices it, and fails', async () => {
  const dir = tempDir();
  const executor = await startedExecutor({ dir, durable: true });
  const [task] = await executor.enqueue(tasks(1, { handler: 'echo' }));
  await executor.idle();
  const failed = new Promise<Error>((resolve) => executor.once('failed', resolve));
  rmSync(join(executor.runDir, 'queue.db'));
  expect(await failed).toMatchObject({ code: 'ERR_QUEUE_LOST' });
  await executor.stop();
  const copy = readdirSync(executor.runDir).find((name) => name.startsWith('queue.saved'))!;
  const reader = (await openSqliteQueueReader(join(executor.runDir, copy)))!;
  expect(await reader.outcome(task!.id)).toMatchObject({ state: 'done' });
  await reader.close();
});

test('stop() tells when the files went after the last outcome', async () => {
  const executor = await startedExecutor({ dir: tempDir(), durable: true });
  await executor.submit('echo', 1);
  rmSync(executor.runDir, { recursive: true });
  await expect(executor.stop()).rejects.toMatchObject({ code: 'ERR_QUEUE_LOST' });
});

test.each([[[]], [['--no-supervise']]])(
  'runtime run %j: the folder of the run is removed, the command ends with 1, and goes on once it is put back',
  async (more) => {
    const here = place();
    const command = ['run', 'work.mjs', '--handler', 'gate', '--lines', '--results', 'out.ndjson', ...more];
    const run = here.start([...command, '--threads', '1'], { input: lines(30) });
    await here.until('work', (status) => started(status) > 0);
    rmSync(join(here.dir, '.runtime', 'runs', 'work'), { recursive: true });
    here.write('open', '');
    const ended = await run;
    expect(ended.stderr).toMatch(/queue\.db was removed while the queue was open; all that was recorded is saved in/);
    expect(ended.exitCode).toBe(1);

    putBack(ended.stderr);
    const again = await here.runtime(command, { input: lines(30) });
    expect(again).toMatchObject({ exitCode: 0 });
    expect(new Set(parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8')).map(({ id }) => id)).size).toBe(30);
  },
);
