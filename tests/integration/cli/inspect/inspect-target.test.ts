import { hostname } from 'node:os';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inspectTarget } from '../../../../dist/cli/inspect/inspect-target.js';
import { readHealth } from '../../../../dist/runtime/health/snapshot.js';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { HEALTH_FILE, StateDir } from '../../../../dist/system/state-dir.js';
import { startedExecutor } from '../../../support/executors.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

/** A run whose lock this process holds, without an executor. */
async function locked() {
  const stateDir = new StateDir(tempDir());
  stateDir.ensureRunDir('run-1');
  const lock = new ProcessLock({ path: stateDir.lockPath('run-1'), runId: 'run-1' });
  await lock.acquire();
  onTestFinished(() => lock.release());
  return { stateDir, lock };
}

const refusal = (stateDir: StateDir) => {
  try {
    return inspectTarget(stateDir, 'run-1');
  } catch (error) {
    return error;
  }
};

test('an executor without a supervisor is in the process that holds the lock', async () => {
  const dir = tempDir();
  await startedExecutor({ dir });
  const stateDir = new StateDir(dir);
  await waitFor('it to say where it is', () => readHealth(join(stateDir.runDir('run-1'), HEALTH_FILE)).snapshot.pid);
  expect(inspectTarget(stateDir, 'run-1')).toEqual({ pid: process.pid, note: undefined });
});

test('a run whose executor has not said yet where it is, is asked for again', async () => {
  const { stateDir } = await locked();
  expect(refusal(stateDir)).toMatchObject({
    code: 'ERR_NO_EXECUTOR',
    message: 'the executor of "run-1" is just starting, or has just died',
    hint: expect.stringContaining('Try again in a moment') as string,
  });
});

test('a process of another host is never taken for one of this', async () => {
  const { stateDir, lock } = await locked();
  const elsewhere = { ...lock.holder(), hostname: `not-${hostname()}` };
  writeSync(openSync(stateDir.lockPath('run-1'), 'r+'), `${JSON.stringify(elsewhere)}\n`, 0);
  expect(refusal(stateDir)).toMatchObject({
    code: 'ERR_NO_EXECUTOR',
    message: `the executor of "run-1" runs on another host: not-${hostname()}`,
  });
});
