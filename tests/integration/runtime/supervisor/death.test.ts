import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../support/lock-place.js';
import { longTest } from '../../../support/long.js';
import { echoes, RunPlace } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

const EXECUTOR_PROCESS = fileURLToPath(new URL('../../../../dist/cli/run/executor-process.js', import.meta.url));

const held = { id: 'held', handler: 'hold', input: 'go' };
const heldToo = { id: 'held-too', handler: 'hold', input: 'go' };
const innocent = 'done attempts 1 crashes 0';

/** Whoever held it has ended, then: its process may stay in the table until somebody asks how it ended. */
const free = (place: RunPlace) => waitFor('the lock to go free', () => !place.lock.isLocked());

describe('an executor that is killed', () => {
  test('is replaced at once, under the same lock, and what it ran is run again', async () => {
    const place = new RunPlace();
    const lock = place.watchLock();
    const run = place.start('--tasks', place.tasks([held, heldToo, ...echoes(20)]));
    await place.running('held');
    await place.running('held-too');
    const first = await run.executor();
    process.kill(first, 'SIGKILL');
    const second = await run.executor(first);
    expect(place.lock.holder()?.pid).toBe(run.pid);
    place.letGo();
    expect(await run.ended).toBe(0);
    const outcomes = await place.outcomes();
    expect(outcomes).toHaveLength(22);
    expect(outcomes.find(({ id }) => id === 'held')!.result).toBe(String(second));
    expect(await place.ends()).toMatchObject({ held: innocent, 'held-too': innocent });
    expect(run.stderr).toContain('the executor of run-1 was ended by SIGKILL; starting another');
    expect(lock().gaps).toBe(0);
    expect(lock().looks).toBeGreaterThan(0);
  });

  test('is charged to a task that ran alone, and forgiven when the task ends well the next time', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([held]));
    await place.running('held');
    const first = await run.executor();
    process.kill(first, 'SIGKILL');
    await run.executor(first);
    place.letGo();
    expect(await run.ended).toBe(0);
    expect(await place.ends()).toEqual({ held: 'done attempts 1 crashes 1' });
  });

  test('as often as it likes does not end the run, as long as outcomes are recorded in between', async () => {
    const place = new RunPlace();
    // One more than are given up without any outcome.
    const holds = Array.from({ length: 9 }, (_, n) => ({ id: `held-${n}`, handler: 'hold', input: `go-${n}` }));
    const run = place.start('--tasks', place.tasks(holds), '--threads', '1');
    let executor = await run.executor();
    for (let n = 0; n < holds.length; n++) {
      await place.running(`held-${n}`);
      process.kill(executor, 'SIGKILL');
      executor = await run.executor(executor);
      place.letGo(`go-${n}`);
      await place.recorded(n + 1);
    }
    expect(await run.ended).toBe(0);
    expect(run.stderr.match(/starting another/g)).toHaveLength(9);
  });
});

describe('a supervisor that is killed', () => {
  test('takes its executor along, the lock goes free, and the same command continues', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([...echoes(10), held, heldToo]));
    await place.running('held');
    await place.running('held-too');
    await place.recorded(10);
    run.signal('SIGKILL');
    expect(await run.ended).toBe('SIGKILL');
    await free(place);
    expect(place.lock.holder()?.pid).toBe(run.pid); // it can still be told who it was
    place.letGo();
    const again = place.start('--tasks', place.path('tasks.ndjson'));
    expect(await again.ended).toBe(0);
    expect(again.stderr).toContain('10 tasks had ended before');
    const ends = await place.ends();
    expect(Object.keys(ends)).toHaveLength(12);
    expect(new Set(Object.values(ends))).toEqual(new Set([innocent]));
  });

  test('together with its executor leaves a free lock, and nobody is charged: none was there to see it', async () => {
    const place = new RunPlace();
    const tasks = place.tasks([held]);
    for (let round = 0; round < 4; round++) {
      const each = place.start('--tasks', tasks, '--max-crashes', '1');
      await place.running('held');
      rmSync(place.path('held.runs'));
      each.signalBoth('SIGKILL');
      await free(place);
    }
    place.letGo();
    expect(await place.start('--tasks', place.path('tasks.ndjson')).ended).toBe(0);
    expect(await place.ends()).toEqual({ held: innocent });
  });

  test('while its executor is loading, takes it along before it runs anything', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([held]));
    await run.executor();
    run.signal('SIGKILL');
    await free(place);
    expect(existsSync(place.path('held.runs'))).toBe(false);
  });
});

test('an executor process whose channel has closed before it listens ends by SIGKILL, and says nothing', async () => {
  const place = new RunPlace();
  const entry = place.path('entry.mjs');
  const wait = 'while (process.connected) await new Promise((resolve) => setTimeout(resolve, 5));';
  writeFileSync(entry, `${wait}\nawait import(${JSON.stringify(EXECUTOR_PROCESS)});\n`);
  const child = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.disconnect();
  const [exited] = await Promise.all([once(child, 'exit'), once(child.stderr!, 'end')]);
  expect(exited).toEqual([null, 'SIGKILL']);
  expect(said).toBe('');
});

describe('an executor that is stopped', () => {
  test('keeps its lock against everybody, and goes on when it is woken', async () => {
    const place = new RunPlace();
    const lock = place.watchLock();
    const run = place.start('--tasks', place.tasks([held, ...echoes(20)]));
    await place.running('held');
    const executor = await run.executor();
    process.kill(executor, 'SIGSTOP');
    place.letGo();
    const other = place.start('--tasks', place.path('tasks.ndjson'));
    expect(await other.ended).toBe(1);
    expect(other.stderr).toContain(String(run.pid));
    process.kill(executor, 'SIGCONT');
    expect(await run.ended).toBe(0);
    expect(new Set(Object.values(await place.ends()))).toEqual(new Set([innocent]));
    expect(lock().gaps).toBe(0);
  });

  test('keeps its lock even when its supervisor is killed, and lets it go when it is woken', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([held]));
    await place.running('held');
    const executor = await run.executor();
    process.kill(executor, 'SIGSTOP');
    run.signal('SIGKILL');
    await waitFor('the supervisor to end', () => !isAlive(run.pid));
    expect(place.lock.isLocked()).toBe(true);
    expect(await place.start('--tasks', place.path('tasks.ndjson')).ended).toBe(1);
    process.kill(executor, 'SIGCONT');
    await free(place);
    expect(await place.ends()).toEqual({});
  });

  longTest('is ended by the second signal, though it cannot hear it', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([held]), '--grace', '10ms');
    await place.running('held');
    const executor = await run.executor();
    process.kill(executor, 'SIGSTOP');
    run.signal('SIGINT');
    run.signal('SIGTERM');
    // Two signals that wait at the same time are delivered in either order.
    expect([130, 143]).toContain(await run.ended);
    expect(isAlive(executor)).toBe(false);
    expect(place.lock.isLocked()).toBe(false);
    place.letGo();
    expect(await place.start('--tasks', place.path('tasks.ndjson')).ended).toBe(0);
    expect(await place.ends()).toEqual({ held: innocent });
  });
});
