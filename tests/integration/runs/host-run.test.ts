/** An executor from code that others steer, and what a host leaves behind. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Requests } from '../../../dist/runtime/control/messages.js';
import { hostRun } from '../../../dist/runs/host-run.js';
import { resolveOptions } from '../../../dist/runtime/options.js';
import { askExecutor, changeExecutor } from '../../../dist/runtime/control/client.js';
import { serveHealth } from '../../../dist/runtime/health/http-server.js';
import { ProcessLock } from '../../../dist/system/lock/process-lock.js';
import { StateDir } from '../../../dist/system/state-dir.js';
import { place } from '../../support/command.js';
import { HANDLERS, running, startedExecutor } from '../../support/executors.js';
import { program } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const socketOf = (dir: string) =>
  new ProcessLock({ path: new StateDir(dir).lockPath('run-1'), runId: 'run-1' }).holder()?.controlSocket;

test('an executor from code that is steerable is reached by the command', async () => {
  const here = place();
  const dir = join(here.dir, '.runtime');
  const executor = await startedExecutor({ dir, durable: true, steerable: true });
  const { stdout } = await here.runtime(['status', 'run-1']);
  expect(stdout).toMatch(/state +running/);
  expect(await here.runtime(['pause', 'run-1'])).toMatchObject({ exitCode: 0 });
  expect(executor.mode).toBe('paused');
  expect(await here.runtime(['resume', 'run-1'])).toMatchObject({ exitCode: 0 });
  expect(executor.mode).toBe('running');
  const socket = socketOf(dir)!;
  expect(existsSync(socket)).toBe(true);
  await executor.stop();
  expect(existsSync(socket)).toBe(false);
});

test('its socket answers until no thread is left: a stop that hangs can be seen', async () => {
  const dir = tempDir();
  const executor = await startedExecutor({ dir, durable: true, steerable: true });
  const task = executor.submit('untilAborted', null, { id: 'long' }).catch((error: Error) => error);
  await running(executor, 'long');
  const stopped = executor.stop();
  const socket = socketOf(dir)!;
  const { mode, threads } = await askExecutor(socket, 'status');
  expect(mode).toBe('stopping');
  expect(threads.flatMap((thread) => thread.running.map(({ id }) => id))).toEqual(['long']);
  await executor.stop({ force: true });
  await stopped;
  await task;
  expect(existsSync(socket)).toBe(false);
});

test('what it is sent is checked: a task that is done stays done', async () => {
  const dir = tempDir();
  const executor = await startedExecutor({ dir, durable: true, steerable: true });
  await executor.submit('echo', 1, { id: 'a' });
  const socket = socketOf(dir)!;
  const wrong: [keyof Requests, object][] = [
    ['retry', { states: ['done'] }],
    ['retry', { states: 'failed' }],
    ['retry', {}],
    ['cancel', { ids: [1] }],
    ['add', { tasks: {} }],
    ['scale', { threads: 'many' }],
  ];
  for (const [what, body] of wrong) {
    await expect(changeExecutor(socket, what, body as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
  }
  const task = { handler: 'echo', input: { bytes: 'AAAA' } };
  await expect(changeExecutor(socket, 'add', { tasks: [task] })).rejects.toMatchObject({ code: 'ERR_INVALID_TASK' });
  expect(await executor.counts()).toMatchObject({ queued: 0, done: 1, failed: 0 });
});

test('one that is not has no socket', async () => {
  const dir = tempDir();
  await startedExecutor({ dir, durable: true });
  expect(socketOf(dir)).toBeUndefined();
});

test('where the host cannot take it, all that was started is ended, and nothing stays', async () => {
  const dir = tempDir();
  const health = await serveHealth({ host: '127.0.0.1', port: 0 });
  const options = resolveOptions({ runId: 'run-1', handlers: HANDLERS, dir, threads: 1, steerable: true });
  const failure = new Error('no host');
  const hosts = () => Promise.reject(failure);
  await expect(hostRun(options, { health, hosts })).rejects.toBe(failure);
  await expect(fetch(`${health.url}/livez`)).rejects.toThrow();
  expect(new ProcessLock({ path: new StateDir(dir).lockPath('run-1'), runId: 'run-1' }).isLocked()).toBe(false);
  expect(readdirSync(dir, { recursive: true }).filter((name) => String(name).includes('run-1/'))).toEqual([]);
});

test('drained from a terminal, it stops: who waits for what stays in the queue hears so', async () => {
  const dir = tempDir();
  const executor = await startedExecutor({ dir, durable: true, steerable: true, threads: 1 });
  const first = executor.submit('untilAborted', null, { id: 'runs' }).catch((error: { code: string }) => error.code);
  await running(executor, 'runs');
  const second = executor.submit('echo', 1, { id: 'waits' }).catch((error: { code: string }) => error.code);
  const socket = socketOf(dir)!;
  expect((await askExecutor(socket, 'drain')).mode).toBe('draining');
  await expect(changeExecutor(socket, 'add', { tasks: [] })).rejects.toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  await executor.cancel('runs');
  expect(await first).toBe('ERR_TASK_CANCELLED');
  expect(await second).toBe('ERR_EXECUTOR_STOPPED');
  await waitFor('it to stop', () => executor.mode === 'stopped');
});

test('paused, it keeps the process alive for whoever waits for an outcome, and for nobody else', async () => {
  const { said, code } = await program(`
    const executor = await open();
    executor.pause();
    const result = executor.submit('echo', 'came');
    setTimeout(() => executor.resume(), 1500).unref();
    say(await result);
    executor.pause();
  `);
  expect([said, code]).toEqual([['came'], 0]);
});
