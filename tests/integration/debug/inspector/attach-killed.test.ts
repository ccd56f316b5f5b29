import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { attachToProcess } from '../../../../dist/debug/inspector/attach-process.js';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { ownTurns, startProgram, startThreads, type Inspected } from '../../../support/inspected.js';
import { onEveryNode } from '../../../support/node-versions.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const startSleeper = () => startProgram(`console.log('up'); setInterval(() => {}, 1000);`);
const PROGRAM = fileURLToPath(new URL('../../../support/attach-child.mjs', import.meta.url));

/** A watchdog is as patient as that, where the process is too busy to do what it is told. */
const WATCHDOG_MS = 70_000;
vi.setConfig({ testTimeout: 2 * WATCHDOG_MS });

beforeEach(ownTurns);

interface Killing {
  /** Default SIGKILL. */
  signal?: NodeJS.Signals;
  /** Awaited before that. */
  first?: () => unknown;
}

/** Starts a look, ends it when it is so far, and waits until the watchdog is done. */
async function kill(target: Inspected, stage: string, { signal = 'SIGKILL', first }: Killing = {}): Promise<void> {
  const tmp = tempDir();
  const child = spawn(process.execPath, [PROGRAM, String(target.pid), stage], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: tmp, NODE_V8_COVERAGE: '' },
    detached: true,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface(child.stdout)) if (line === stage) break;
  await first?.();
  const exit = once(child, 'exit');
  // To all of its group, as a terminal does.
  process.kill(-child.pid!, signal);
  await exit;
  const path = join(process.env['XDG_RUNTIME_DIR']!, 'holdfast/inspect.lock');
  const lock = new ProcessLock({ path, runId: 'inspect' });
  // It lends its turn to others while it waits for a process that is slow to open its inspector.
  const isDone = () => !lock.isLocked() && readdirSync(tmp).length === 0;
  await waitFor('the watchdog to be done', isDone, WATCHDOG_MS);
}

/** It can be looked into again, and is left alone then. */
async function lookAgain(target: Inspected): Promise<void> {
  const { threads, detach } = await attachToProcess(target.pid);
  expect(threads.length).toBeGreaterThan(0);
  await detach();
}

/**
 * A target may end by SIGSEGV in Node 20 to 26: two in a hundred of these looks, on a
 * busy machine. Then all is tried with another one.
 */
async function unlessNodeEnds<Target extends Inspected>(
  start: () => Promise<Target>,
  tried: (target: Target) => Promise<void>,
): Promise<void> {
  const target = await start();
  const { child } = target;
  const ended = once(child, 'exit');
  try {
    await tried(target);
  } catch (error) {
    if (isProcess(target.pid)) throw error;
    if (child.exitCode === null && child.signalCode === null) await ended;
    if (child.signalCode !== 'SIGSEGV') throw error;
    await tried(await start());
  }
}

function isProcess(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

await onEveryNode('a look that is killed leaves no inspector open, no thread standing, no folder', ({ path }) =>
  unlessNodeEnds(
    () => startThreads({ path }),
    async (target) => {
      for (const stage of ['attached', 'snapshot', 'detaching']) {
        await kill(target, stage);
        await waitFor(`no inspector to be open after ${stage}`, () => target.ports().length === 0, WATCHDOG_MS);
        await target.goesOn();
      }
      await lookAgain(target);
    },
  ),
);

describe('a look that is killed', () => {
  test('leaves nothing either when the inspector is just opening', () =>
    unlessNodeEnds(startSleeper, async (target) => {
      const opened = () => target.stderr().split('Debugger listening').length;
      for (let time = 0; time < 2; time++) {
        const before = opened();
        await kill(target, 'begins', { first: () => waitFor('it to open', () => opened() > before) });
        await waitFor('no inspector to be open', () => target.ports().length === 0, WATCHDOG_MS);
      }
      await lookAgain(target);
    }));

  test('leaves open what was open, and no worker standing all the same', () =>
    unlessNodeEnds(
      () => startThreads({ nodeOptions: ['--inspect=127.0.0.1:0'] }),
      async (target) => {
        const before = target.ports();
        await kill(target, 'snapshot');
        expect(target.ports()).toEqual(before);
        await target.goesOn();
      },
    ));

  test('leaves nothing either when it is interrupted, or told to end', () =>
    unlessNodeEnds(startSleeper, async (target) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        await kill(target, 'attached', { signal });
        await waitFor('no inspector to be open', () => target.ports().length === 0, WATCHDOG_MS);
      }
      expect(target.child.exitCode ?? target.child.signalCode).toBeNull();
    }));

  test('leaves nothing to be done when the process it looked into has ended', async () => {
    const target = await startSleeper();
    await kill(target, 'attached', { first: () => target.child.kill('SIGKILL') });
  });
});
