/** A thread in native code that does not return: nothing but the end of its process ends it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test as shortTest } from 'vitest';
import { longTest } from '../../../support/long.js';
import { program } from '../../../support/program.js';
import { RunPlace, type RunProcess } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

const INDEX = fileURLToPath(new URL('../../../../dist/index.js', import.meta.url));
const HANDLERS = fileURLToPath(new URL('../../../support/supervised-tasks.mjs', import.meta.url));

/** Only there can a process end with a code of its own choice. */
const HAS_EXECVE = 'execve' in process;

function blockedRun(place: RunPlace, ...args: string[]): RunProcess {
  onTestFinished(() => endBlocker(place));
  const tasks = place.tasks([{ id: 'blocked', handler: 'block' }]);
  return place.start('--tasks', tasks, '--grace', '100ms', ...args);
}

/** The process that the thread waits for; it is none of ours, so it outlives us. */
function endBlocker(place: RunPlace): void {
  try {
    process.kill(Number(readFileSync(place.path('blocker'), 'utf8')), 'SIGKILL');
  } catch {
    // It has ended, or there was none.
  }
}

const isBlocked = (place: RunPlace) => waitFor('the thread to be blocked', () => existsSync(place.path('blocker')));

describe.each([
  ['under a supervisor', []],
  ['in one process', ['--no-supervise']],
] as [string, string[]][])('%s', (_, args) => {
  // Each waits for seconds for what cannot be ended: with a supervisor, they stand for those without.
  const test = args.length === 0 ? shortTest : longTest;

  test('a run ends after its summary, and says who kept it', async () => {
    const place = new RunPlace();
    const run = blockedRun(place, '--timeout', '100ms', ...args);
    const byForce = args.length === 0 || HAS_EXECVE ? 3 : 'SIGKILL';
    expect(await run.ended).toBe(byForce);
    expect(run.stderr).toMatch(/^tasks {6}1 timed-out$/m);
    expect(run.stderr).toContain('thread 1 could not be ended: native code of blocked does not return\n');
    expect(place.lock.isLocked()).toBe(false);
    expect(await place.ends()).toEqual({ blocked: 'timed-out attempts 1 crashes 0' });
  });

  test('the second signal brings a summary, whatever the thread does', async () => {
    const place = new RunPlace();
    const run = blockedRun(place, ...args);
    await isBlocked(place);
    run.signal('SIGINT');
    await run.told('SIGINT: waiting');
    run.signal('SIGINT');
    expect(await run.ended).toBe(args.length === 0 ? 130 : 'SIGINT');
    expect(run.stderr).toMatch(/^tasks {6}1 queued$/m);
    expect(run.stderr).not.toContain('was ended by');
    expect(place.lock.isLocked()).toBe(false);
  });

  test('the third signal ends it at once', async () => {
    const place = new RunPlace();
    const run = blockedRun(place, '--grace', '10m', ...args);
    await isBlocked(place);
    run.signal('SIGTERM');
    await run.told('SIGTERM: waiting');
    run.signal('SIGTERM');
    await run.told('SIGTERM once more ends all at once');
    run.signal('SIGTERM');
    expect(await run.ended).toBe(args.length === 0 ? 143 : 'SIGTERM');
    expect(place.lock.isLocked()).toBe(false);
  });
});

shortTest('stop() of the API tells which thread it could not end, and lets the lock go', async () => {
  const place = new RunPlace();
  onTestFinished(() => endBlocker(place));
  const { said, signal } = await program(
    `
    import { existsSync } from 'node:fs';
    process.env.HOLD_DIR = dir;
    const executor = await open({ handlers: ${JSON.stringify(HANDLERS)}, grace: 50 });
    executor.submit('block', null, { id: 'blocked' }).catch((error) => say(error.code));
    while (!existsSync(dir + '/blocker')) await new Promise((resolve) => setTimeout(resolve, 5));
    executor.on('thread-unended', say);
    await executor.stop({ force: true });
    const { ProcessLock } = await import(${JSON.stringify(INDEX)});
    say(new ProcessLock({ path: dir + '/locks/run-1.lock', runId: 'run-1' }).isLocked());
    process.kill(process.pid, 'SIGKILL');
  `,
    { dir: place.dir },
  );
  expect(said).toEqual([{ thread: 1, tasks: ['blocked'] }, 'ERR_EXECUTOR_STOPPED', false]);
  expect(signal).toBe('SIGKILL');
});
