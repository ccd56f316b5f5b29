import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { createExecutor, type Executor, type ExecutorOptions } from '../../dist/index.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

export const HANDLERS = fileURLToPath(new URL('../fixtures/handlers.mjs', import.meta.url));

/** An executor of the handlers in `fixtures`, by default in memory and with two threads; it ends with the test. */
export async function startedExecutor(options: Partial<ExecutorOptions> = {}): Promise<Executor> {
  const executor = await open({ ...options, dir: options.dir ?? tempDir() });
  onTestFinished(() => executor.stop({ force: true }).catch(() => {}));
  return executor;
}

/** One for all tests of a block, where they leave it as it was. Gives what gives it. */
export function sharedExecutor(options: Partial<ExecutorOptions> = {}): () => Executor {
  let executor: Executor;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
    executor = await open({ ...options, dir });
  });
  afterAll(async () => {
    await executor.stop({ force: true });
    rmSync(dir, { recursive: true, force: true });
  });
  return () => executor;
}

function open(options: Partial<ExecutorOptions>): Promise<Executor> {
  return createExecutor({
    runId: 'run-1',
    handlers: HANDLERS,
    threads: 2,
    durable: false,
    grace: 100,
    backoff: { base: 1, max: 2 },
    ...options,
  });
}

/** Waits until these tasks are running, all of them at once. */
export function running(executor: Executor, ...ids: string[]): Promise<unknown> {
  return waitFor(`${ids.join(', ')} to be running`, async () => {
    const running = await runningNow(executor);
    return ids.every((id) => running.includes(id));
  });
}

/** The ids of the tasks that are running now. */
export async function runningNow(executor: Executor): Promise<string[]> {
  const { threads } = await executor.status();
  return threads.flatMap((thread) => thread.running.map(({ id }) => id));
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in settled) return settled.error as Error & Record<string, unknown>;
  throw new Error(`it was to be rejected, and gave ${JSON.stringify(settled.value)}`);
}

/** What became of a submitted task: its value, or the state it ended in. */
export async function endOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    const { outcome, code } = error as { outcome?: { state: string }; code?: string };
    return outcome?.state ?? code;
  }
}
