import { once } from 'node:events';
import { beforeEach, expect, test } from 'vitest';
import { attachToProcess } from '../../../dist/debug/inspector/attach-process.js';
import { inspectProcess } from '../../../dist/debug/inspect-process.js';
import { rejection } from '../../support/executors.js';
import { ownTurns, startProgram } from '../../support/inspected.js';

beforeEach(ownTurns);

test('threads that end while they are looked at are left out, and the process goes on', async () => {
  // Of three that there are at any time, each lives for 100 ms at most, and half of them are ended from outside.
  const target = await startProgram(`
    import { Worker } from 'node:worker_threads';
    import { setTimeout as sleep } from 'node:timers/promises';
    const SOURCE = 'setTimeout(() => process.exit(), Math.random() * 100)';
    async function starts() {
      for (;;) {
        const worker = new Worker(SOURCE, { eval: true, name: 'brief' });
        await Promise.race([new Promise((resolve) => worker.once('exit', resolve)), sleep(50)]);
        await worker.terminate();
      }
    }
    for (let i = 0; i < 3; i++) starts();
    console.log('up');`);
  const rejected: unknown[] = [];
  const note = (error: unknown) => void rejected.push(error);
  process.on('unhandledRejection', note);
  for (let look = 0; look < 4; look++) {
    const { threads } = await inspectProcess(target.pid, { maxPauseMs: look < 2 ? 0 : 5_000 });
    expect(threads[0]).toMatchObject({ name: 'main', view: look < 2 ? 'cheap' : 'whole' });
    for (const { name, notes } of threads) {
      expect(['main', 'brief']).toContain(name);
      expect(notes.join()).not.toMatch(/has ended|terminated|context|Uncaught/);
    }
  }
  process.off('unhandledRejection', note);
  expect(rejected).toEqual([]);
  expect(target.child.exitCode).toBeNull();
});

const ENDS = `
  process.on('SIGTERM', () => process.exit());
  setInterval(() => {}, 1000);
  console.log('up');`;

test('a process that ends in the middle is told, not what it answers then', async () => {
  const target = await startProgram(ENDS);
  // A process that exits waits for who is attached, and refuses what it is asked.
  const look = inspectProcess(target.pid, { onNote: () => void target.child.kill('SIGTERM') });
  expect(await rejection(look)).toMatchObject({
    code: 'ERR_INSPECT_TARGET',
    message: `process ${target.pid} has ended while it was looked into`,
  });
});

test('one that ends is known by what it refuses, before it is gone', async () => {
  // An inspector that is not to be closed is left at once, and only then the process goes.
  const target = await startProgram(ENDS, { nodeOptions: ['--inspect=127.0.0.1:0'] });
  const attached = await attachToProcess(target.pid);
  await attached.throwIfGone();
  const { session } = attached.threads[0]!;
  const error = await rejection(
    session.call('Runtime.evaluate', {
      expression: `process.kill(process.pid, 'SIGTERM'), new Promise(() => {})`,
      awaitPromise: true,
    }),
  );
  expect(error.message).toMatch(/context/);
  await attached.detach();
  expect(await rejection(attached.throwIfGone())).toMatchObject({
    message: `process ${target.pid} has ended while it was looked into`,
  });
  if (target.child.exitCode === null) await once(target.child, 'exit');
});
