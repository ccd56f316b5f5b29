import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Attached, AttachedThread } from '../../../../dist/debug/inspector/attached.js';
import { attachToProcess } from '../../../../dist/debug/inspector/attach-process.js';
import { evaluate } from '../../../../dist/debug/inspector/evaluate.js';
import { inspectorAmong } from '../../../../dist/debug/inspector/find-inspector.js';
import { connect } from '../../../../dist/debug/inspector/web-socket-session.js';
import { rejection } from '../../../support/executors.js';
import { ownTurns, startProgram, startThreads } from '../../../support/inspected.js';
import { onEveryNode } from '../../../support/node-versions.js';
import { waitFor } from '../../../support/wait-for.js';

const SLEEPS = `console.log('up'); setInterval(() => {}, 1000);`;

beforeEach(ownTurns);

type Options = Parameters<typeof attachToProcess>[1];

/** Lets go with the test at the latest. */
async function attach(pid: number, options?: Options): Promise<Attached> {
  const attached = await attachToProcess(pid, options);
  onTestFinished(() => attached.detach());
  return attached;
}

/** A server of this process, at a port of its own. */
async function occupied(): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

async function freePort(): Promise<number> {
  const { port, server } = await occupied();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const ids = (threads: readonly AttachedThread[]) =>
  Promise.all(threads.map(({ session }) => evaluate<number>(session, `builtin('worker_threads').threadId`)));

await onEveryNode('every thread answers, the main one and workers that spin as well, and goes on', async ({ path }) => {
  const target = await startThreads({ path, spin: true });
  const attached = await attach(target.pid);
  const { threads, folder } = attached;
  expect(threads.map(({ threadId, name }) => [threadId, name])).toEqual([
    [0, 'main'],
    [2, 'spinning'],
    [3, 'parent'],
    [4, 'worker 4'],
    [5, 'child'],
  ]);
  expect(await ids(threads)).toEqual([0, 2, 3, 4, 5]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  await evaluate(threads[1]!.session, `builtin('fs').writeFileSync(${JSON.stringify(folder)} + '/snapshot', '')`);
  expect(target.ports()).toHaveLength(1);
  await target.goesOn();

  await attached.detach();
  await attached.detach();
  expect(target.ports()).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  await target.goesOn();
  const error = await rejection(threads[0]!.session.call('Runtime.enable'));
  expect(error.message).toBe('the connection was closed');

  const again = await attach(target.pid);
  expect(await ids(again.threads)).toEqual([0, 2, 3, 4, 5]);
});

await onEveryNode('a process survives one look after the other', async ({ path }) => {
  const target = await startProgram(SLEEPS, { path });
  for (let look = 0; look < 6; look++) {
    const { threads, detach } = await attach(target.pid);
    expect(await ids(threads)).toEqual([0]);
    await detach();
    expect(target.ports()).toEqual([]);
  }
  expect(target.child.exitCode ?? target.child.signalCode).toBeNull();
});

describe('a process whose inspector is open', () => {
  test('keeps it open, and whoever is attached to it is not disturbed', async () => {
    const port = await freePort();
    const target = await startProgram(SLEEPS, { nodeOptions: [`--inspect=127.0.0.1:${port}`] });
    const other = await connect((await inspectorAmong(target.pid, [port]))!.url, 1_000);
    onTestFinished(() => other.close());
    await other.session.call('Debugger.enable');
    const scripts: string[] = [];
    other.session.on('Debugger.scriptParsed', ({ url }: { url: string }) => void scripts.push(url));

    const attached = await attach(target.pid);
    expect(await ids(attached.threads)).toEqual([0]);
    await attached.threads[0]!.session.call('Debugger.enable');
    await attached.detach();

    expect(target.ports()).toEqual([port]);
    expect(target.stderr().match(/Debugger listening/g)).toHaveLength(1);
    await evaluate(other.session, '0\n//# sourceURL=still-told\n');
    expect(scripts.at(-1)).toMatch(/still-told/);
  });

  test('is found also where its program has opened it at a port that nobody named', async () => {
    const target = await startProgram(`import inspector from 'node:inspector'; inspector.open(0, '::1'); ${SLEEPS}`, {
      nodeOptions: [],
    });
    const before = target.ports();
    expect(before).toHaveLength(1);
    const attached = await attach(target.pid);
    expect(await ids(attached.threads)).toEqual([0]);
    await attached.detach();
    expect(target.ports()).toEqual(before);
  });
});

describe('the port', () => {
  test('is 9229 by default, and another one where an option names it', async () => {
    const port = await freePort();
    const usual = await startProgram(SLEEPS, { nodeOptions: [] });
    const named = await startProgram(SLEEPS, { env: { NODE_OPTIONS: `--inspect-port ${port}` }, nodeOptions: [] });
    for (const [target, expected] of [
      [usual, 9229],
      [named, port],
    ] as const) {
      const attached = await attach(target.pid);
      expect(target.ports()).toEqual([expected]);
      await attached.detach();
      expect(target.ports()).toEqual([]);
    }
  });

  test('of its own server is not asked whether it is an inspector', async () => {
    const target = await startProgram(
      `import { createServer } from 'node:http';
       globalThis.asked = 0;
       createServer(() => asked++).on('connection', () => asked++).listen(0, () => console.log('up'));`,
    );
    const attached = await attach(target.pid);
    expect(await evaluate(attached.threads[0]!.session, 'asked')).toBe(0);
  });

  test('that another process has is waited for, which is told', async () => {
    const { port, server } = await occupied();
    const target = await startProgram(SLEEPS, { nodeOptions: [`--inspect-port=${port}`] });
    const notes: string[] = [];
    const attached = await attach(target.pid, {
      onNote: (note) => {
        notes.push(note);
        server.close();
      },
    });
    expect(await ids(attached.threads)).toEqual([0]);
    const needs = `port ${port}, which the inspector of process ${target.pid} needs`;
    expect(notes).toEqual([`waiting: ${needs}, is taken by process ${process.pid}`]);
    expect(target.stderr()).not.toMatch(/failed/);
  });

  test('that stays taken is an error, which names who has it', async () => {
    const { port } = await occupied();
    const target = await startProgram(SLEEPS, { nodeOptions: [`--inspect-port=${port}`] });
    const error = await rejection(attach(target.pid, { waitMs: 50 }));
    expect(error).toMatchObject({
      code: 'ERR_INSPECT_BUSY',
      hint: expect.stringContaining('--inspect-port=0') as unknown,
    });
    expect(error.message).toBe(
      `port ${port}, which the inspector of process ${target.pid} needs, is taken by process ${process.pid}; it was not free in 50ms`,
    );
  });
});

test('an inspector that answers for another process is not believed, and closed again', async () => {
  const target = await startProgram(`Object.defineProperty(process, 'pid', { value: 1 }); ${SLEEPS}`);
  expect(await rejection(attachToProcess(target.pid))).toMatchObject({
    code: 'ERR_INSPECT_TARGET',
    message: `the inspector of process ${target.pid} answers for process 1`,
  });
  expect(target.ports()).toEqual([]);
});

describe('several at once', () => {
  test('look one after the other, and who waits is told for whom', async () => {
    const [first, second] = [await startProgram(SLEEPS), await startProgram(SLEEPS)];
    const one = await attach(first.pid);
    const notes: string[] = [];
    const other = attach(second.pid, {
      onNote: (note) => {
        notes.push(note);
        expect(second.ports()).toEqual([]);
        void one.detach();
      },
    });
    expect(await ids((await other).threads)).toEqual([0]);
    expect(notes).toEqual([`waiting for another inspect (process ${process.pid})`]);
    expect(first.ports()).toEqual([]);
  });

  test('do not wait for ever, nor longer than they are told to', async () => {
    const target = await startProgram(SLEEPS);
    await attach(target.pid);
    expect(await rejection(attachToProcess(target.pid, { waitMs: 20 }))).toMatchObject({
      code: 'ERR_INSPECT_BUSY',
      message: `another inspect (process ${process.pid}) has not ended in 20ms`,
    });
    const reason = new Error('enough');
    await expect(attachToProcess(target.pid, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('in the middle', () => {
  const NEVER = { expression: 'new Promise(() => {})', awaitPromise: true };

  test('the process may end: all that waits rejects at once', async () => {
    const target = await startThreads();
    const { threads, detach } = await attach(target.pid);
    const pending = threads.map(({ session }) => rejection(session.call('Runtime.evaluate', NEVER, 60_000)));
    await ids(threads);
    target.child.kill('SIGKILL');
    for (const error of await Promise.all(pending)) {
      expect(error).toMatchObject({
        code: 'ERR_INSPECT_TARGET',
        message: `process ${target.pid} has ended while it was looked into`,
      });
    }
    await detach();
  });

  test('its program may close the inspector', async () => {
    const target = await startProgram(
      `import inspector from 'node:inspector'; globalThis.close = () => setImmediate(() => inspector.close()); ${SLEEPS}`,
    );
    const { threads } = await attach(target.pid);
    const pending = rejection(threads[0]!.session.call('Runtime.evaluate', NEVER, 60_000));
    await evaluate(threads[0]!.session, 'void close()');
    expect((await pending).message).toBe(`process ${target.pid} has closed its inspector while it was looked into`);
  });

  test('a worker may end: what is asked of it rejects, the others answer', async () => {
    const target = await startThreads();
    const { threads } = await attach(target.pid);
    const [main, spinning] = threads as [AttachedThread, AttachedThread];
    const pending = rejection(spinning.session.call('Runtime.evaluate', NEVER, 60_000));
    await evaluate(spinning.session, 'process.exit()').catch(() => {});
    // That of the question, or of the thread, whichever is told first.
    expect((await pending).message).toMatch(/destroyed|the thread has ended/);
    await waitFor('the end of the thread to be told', async () => {
      const error = await rejection(spinning.session.call('Runtime.nonsense'));
      return error.message === 'the thread has ended';
    });
    expect(await evaluate(main.session, '1 + 1')).toBe(2);
  });

  test('what a thread throws is told as it was thrown', async () => {
    const target = await startProgram(SLEEPS);
    const [{ session }] = (await attach(target.pid)).threads as [AttachedThread];
    expect((await rejection(evaluate(session, 'missing()'))).message).toMatch(
      /^ReferenceError: missing is not defined/,
    );
    expect((await rejection(evaluate(session, '(() => { throw 1 })()'))).message).toMatch(/Uncaught|1/);
  });
});

test('a main thread blocked in native code is told, and its inspector closed when it opens after all', async () => {
  const target = await startProgram(
    `import { execSync } from 'node:child_process';
     setTimeout(() => console.log('up'), 20);
     setTimeout(() => execSync('sleep 2'), 20);
     setInterval(() => {}, 1000);`,
  );
  const notes: string[] = [];
  const error = await rejection(attachToProcess(target.pid, { waitMs: 1_100, onNote: (note) => notes.push(note) }));
  expect(error).toMatchObject({ code: 'ERR_INSPECT_TARGET', hint: expect.stringContaining('gdb -p') as unknown });
  expect(error.message).toMatch(/has not answered in 1\.1s: its main thread is blocked in native code, .+/);
  expect(notes).toEqual([
    expect.stringMatching(/^waiting for process \d+ to answer: its main thread is blocked in native/),
  ]);
  await waitFor('the inspector to open', () => target.stderr().includes('Debugger attached'));
  await waitFor('the inspector to close', () => target.ports().length === 0);
  const attached = await attach(target.pid);
  expect(await ids(attached.threads)).toEqual([0]);
});
