import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { Session as InspectorSession, url } from 'node:inspector';
import { runInThisContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { attachToSelf } from '../../../../dist/debug/inspector/attach-self.js';
import { evaluate } from '../../../../dist/debug/inspector/evaluate.js';
import { rejection } from '../../../support/executors.js';
import { program } from '../../../support/program.js';
import { waitFor } from '../../../support/wait-for.js';

const SELF = new URL('../../../../dist/debug/inspector/attach-self.js', import.meta.url).href;
const EVALUATE = new URL('../../../../dist/debug/inspector/evaluate.js', import.meta.url).href;

/** A worker that ends with the test; resolves when it has said something. */
async function started(code: string, name?: string): Promise<Worker> {
  const worker = new Worker(code, { eval: true, ...(name !== undefined && { name }) });
  onTestFinished(async () => void (await worker.terminate()));
  await once(worker, 'message');
  return worker;
}

const SPINS = `require('worker_threads').parentPort.postMessage('up'); for (;;);`;

test('all threads of the own process answer, also one that spins, and no port is opened', async () => {
  const worker = await started(SPINS, 'spinning');
  const resources = process.getActiveResourcesInfo();
  const { threads, folder, detach } = await attachToSelf();
  expect(threads[0]).toMatchObject({ threadId: 0, name: 'main' });
  const spinning = threads.find(({ threadId }) => threadId === worker.threadId)!;
  expect(spinning.name).toBe('spinning');
  for (const { session, threadId } of threads) {
    expect(await evaluate(session, `builtin('worker_threads').threadId`)).toBe(threadId);
  }
  expect(url()).toBeUndefined();
  expect(statSync(folder).mode & 0o777).toBe(0o700);

  await detach();
  await detach();
  expect(existsSync(folder)).toBe(false);
  expect((await rejection(spinning.session.call('Runtime.enable'))).message).toBe('the thread was let go');
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(resources.length);
});

test('what the own thread refuses is told with the name of what was asked', async () => {
  const { threads, detach } = await attachToSelf();
  expect((await rejection(threads[0]!.session.call('Runtime.nonsense'))).message).toMatch(/^Runtime\.nonsense: /);
  await detach();
});

test('events of the own thread are told until they are no longer listened for', async () => {
  const { threads, detach } = await attachToSelf();
  const { session } = threads[0]!;
  const scripts: string[] = [];
  const off = session.on('Debugger.scriptParsed', ({ url }: { url: string }) => void scripts.push(url));
  await session.call('Debugger.enable');
  runInThisContext('1', { filename: 'first-script' });
  await waitFor('it to be told', () => scripts.includes('first-script'));
  off();
  const told = scripts.length;
  runInThisContext('1', { filename: 'second-script' });
  await session.call('Debugger.disable');
  expect(scripts).toHaveLength(told);
  await detach();
});

test('a worker sees itself, and no other', async () => {
  const worker = new Worker(
    `import('node:worker_threads').then(async ({ parentPort, threadId }) => {
       const { attachToSelf } = await import(${JSON.stringify(SELF)});
       const { evaluate } = await import(${JSON.stringify(EVALUATE)});
       const { threads, detach } = await attachToSelf();
       const seen = threads.map(({ threadId, name }) => [threadId, name]);
       const told = await evaluate(threads[0].session, "builtin('worker_threads').threadId");
       await detach();
       parentPort.postMessage({ seen, told, threadId });
     });`,
    { eval: true },
  );
  onTestFinished(async () => void (await worker.terminate()));
  const [{ seen, told, threadId }] = (await once(worker, 'message')) as [
    { seen: unknown; told: number; threadId: number },
  ];
  expect(seen).toEqual([[threadId, `worker ${threadId}`]]);
  expect(told).toBe(threadId);
});

test('whoever is attached besides is not disturbed', async () => {
  const other = new InspectorSession();
  other.connect();
  onTestFinished(() => other.disconnect());
  const scripts: string[] = [];
  other.on('Debugger.scriptParsed', ({ params }) => void scripts.push(params.url));
  other.post('Debugger.enable');
  const { threads, detach } = await attachToSelf();
  await threads[0]!.session.call('Debugger.enable');
  await detach();
  runInThisContext('1', { filename: 'after-the-look' });
  expect(scripts).toContain('after-the-look');
});

test('a process that is attached to itself, or was, ends when its program does', async () => {
  const { code, said } = await program(`
    import { Worker } from 'node:worker_threads';
    import { attachToSelf } from ${JSON.stringify(SELF)};
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await new Promise((resolve) => worker.once('online', resolve));
    worker.unref();
    const before = process.getActiveResourcesInfo();
    const first = await attachToSelf();
    await first.detach();
    const { threads } = await attachToSelf();
    process.on('exit', () => say([threads.length, before, process.getActiveResourcesInfo()]));
  `);
  expect(code).toBe(0);
  const [[threads, before, after]] = said as [[number, string[], string[]]];
  expect(threads).toBe(2);
  expect(after).toEqual(before);
});

test('a process that ends in the middle of a look leaves no heap behind', async () => {
  const { said, code } = await program(
    `import { attachToSelf } from ${JSON.stringify(SELF)};
     const { folder } = await attachToSelf();
     say(folder);
     process.exit(7);`,
  );
  expect(code).toBe(7);
  expect(existsSync(said[0] as string)).toBe(false);
});

test('what a worker tells is heard when nothing else runs, never in the middle of it', async () => {
  const { said, stderr, code } = await program(`
    import { Worker } from 'node:worker_threads';
    import { attachToSelf } from ${JSON.stringify(SELF)};
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker('globalThis.shared = require("node:worker_threads").workerData; setInterval(() => {}, 1000); shared[0] = 1', {
      eval: true,
      workerData: shared,
    });
    while (shared[0] !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const { threads, detach } = await attachToSelf();
    let heard = false;
    threads[1].session.on('Runtime.consoleAPICalled', () => (heard = true));
    await threads[1].session.call('Runtime.enable');
    const asked = threads[1].session.call('Runtime.evaluate', { expression: 'console.log(1); shared[0] = 2' });
    while (shared[0] !== 2);
    // By now it was told, or will be in a moment: long enough for an interrupt.
    for (const until = performance.now() + 200; performance.now() < until; );
    say(heard);
    await asked;
    say(heard);
    await detach();
    process.exit(0);`);
  expect([code, said.filter((value) => typeof value === 'boolean'), stderr]).toEqual([0, [false, true], '']);
});

test('a process that exits in the middle of a question to a worker that blocks ends all the same', async () => {
  const { code } = await program(`
    import { Worker } from 'node:worker_threads';
    import { attachToSelf } from ${JSON.stringify(SELF)};
    const shared = new Int32Array(new SharedArrayBuffer(8));
    new Worker('const shared = globalThis.shared = require("node:worker_threads").workerData; shared[0] = 1; Atomics.wait(shared, 1, 0)', {
      eval: true,
      workerData: shared,
    });
    while (shared[0] !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const { threads } = await attachToSelf();
    const expression = 'shared[0] = 2; for (const until = Date.now() + 200; Date.now() < until; );';
    threads[1].session.call('Runtime.evaluate', { expression }).catch(() => {});
    while (shared[0] !== 2);
    process.exit(7);`);
  expect(code).toBe(7);
});
