/** Each built-in post-condition looks for itself: it holds where all is well, and fails where it is not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProcessLock, type Executor, type SmokeEvent } from '../../../dist/index.js';
import { startExecutor } from '../../../dist/runtime/start-executor.js';
import { resolveOptions } from '../../../dist/runtime/options.js';
import { BeatLog } from '../../../dist/smoke/beat-log.js';
import { eventsArriveOnce, queueKeepsOutcomes, type EventEvidence } from '../../../dist/smoke/conditions/events.js';
import { healthIsFresh, threadsBeat } from '../../../dist/smoke/conditions/health.js';
import { queueIsApart } from '../../../dist/smoke/conditions/queue.js';
import { lockIsFree, lockIsHeld } from '../../../dist/smoke/conditions/lock.js';
import { nothingIsLeft } from '../../../dist/smoke/conditions/built-in.js';
import { Contender } from '../../../dist/smoke/contender.js';
import { EventLog } from '../../../dist/smoke/event-log.js';
import { leftSince, takeInventory } from '../../../dist/smoke/leftovers.js';
import { outcomesOnDisk } from '../../../dist/runs/recorded-outcomes.js';
import { filesOpenIn } from '../../../dist/system/process-files.js';
import { HANDLERS } from '../../support/executors.js';
import { all } from '../../support/queue-tasks.js';
import { program } from '../../support/program.js';
import { LockProcess } from '../../support/lock-process.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const LEFTOVERS = fileURLToPath(new URL('../../../dist/smoke/leftovers.js', import.meta.url));

describe('the lock', () => {
  function place() {
    const lock = { path: join(tempDir(), 'smoke.lock'), runId: 'smoke' };
    const contender = new Contender();
    onTestFinished(() => contender.end());
    return { lock, contend: () => contender.contend(lock) };
  }

  test('is held: by this process, and refused to another one', async () => {
    const evidence = place();
    using held = await new ProcessLock(evidence.lock).acquire();
    expect(held.held).toBe(true);
    expect(await lockIsHeld.check(evidence)).toEqual({
      ok: true,
      actual: `held by this process (pid ${process.pid}), and refused to another process`,
    });
  });

  test('is not held by us where nobody took it: the other process gets it', async () => {
    expect(await lockIsHeld.check(place())).toEqual({
      ok: false,
      actual: 'free, and given to another process',
    });
  });

  test('is not ours where somebody else has it, though the other process is refused', async () => {
    const evidence = place();
    const other = await LockProcess.start(evidence.lock.path);
    expect(await other.call('tryAcquire')).toBe(true);
    expect(await lockIsHeld.check(evidence)).toEqual({
      ok: false,
      actual: `held by pid ${other.pid}, and refused to another process`,
    });
  });

  test.each([
    [{ acquired: true, holderPid: process.pid }, 'given to another process'],
    [{ acquired: false, holderPid: 1 }, 'refused to another process'],
    [{ acquired: false, holderPid: null }, 'refused to another process'],
  ])('is not shown to be ours by another process that found %j', async (contention, words) => {
    const { lock } = place();
    using held = await new ProcessLock(lock).acquire();
    expect(held.held).toBe(true);
    const finding = await lockIsHeld.check({ lock, contend: async () => contention });
    expect(finding).toMatchObject({ ok: false, actual: expect.stringContaining(words) as string });
  });

  test('is not held where a file alone says so', async () => {
    const { lock } = place();
    const held = await new ProcessLock(lock).acquire();
    const holder = readFileSync(lock.path);
    held.release();
    writeFileSync(lock.path, holder);
    const contend = async () => ({ acquired: false, holderPid: process.pid });
    expect(await lockIsHeld.check({ lock, contend })).toMatchObject({
      ok: false,
      actual: expect.stringMatching(/^free, /) as string,
    });
  });

  test('is free after the stop, or else who holds it is named', async () => {
    const { lock } = place();
    expect(await lockIsFree.check({ lock })).toEqual({ ok: true, actual: 'free' });
    const other = await LockProcess.start(lock.path);
    await other.call('tryAcquire');
    expect(await lockIsFree.check({ lock })).toEqual({ ok: false, actual: `still held by pid ${other.pid}` });
    const holder = readFileSync(lock.path, 'utf8');
    // What the file says means nothing: the kernel is asked.
    writeFileSync(lock.path, 'nonsense');
    expect(await lockIsFree.check({ lock })).toEqual({ ok: false, actual: 'still held by pid unknown' });
    writeFileSync(lock.path, holder);
    await other.call('release');
    expect(await lockIsFree.check({ lock })).toMatchObject({ ok: true });
  });

  test('cannot be contended for by a process that dies', async () => {
    const contender = new Contender();
    onTestFinished(() => contender.end());
    await expect(contender.contend({ path: '/dev/null/smoke.lock', runId: 'x' })).rejects.toThrow(
      /gave no answer: [^]*ENOTDIR/,
    );
    const killed = new Contender();
    await killed.end();
    await expect(killed.contend({ path: '/x', runId: 'x' })).rejects.toThrow('gave no answer');
  });

  test('is contended for by a process that goes when nobody asks it any more', async () => {
    const before = takeInventory();
    const contender = new Contender();
    expect([...takeInventory().values()].join()).toContain('contender-process.js');
    await contender.end();
    expect(await leftSince(before)).toEqual([]);
  });
});

/** A run of three tasks, one of them failed, with all that was told of it. */
async function ranThree(threads = 1) {
  const options = { runId: 'smoke', handlers: HANDLERS, dir: tempDir(), threads };
  const { executor } = await startExecutor(resolveOptions(options), { allThreads: true });
  onTestFinished(() => executor.stop({ force: true }));
  const beats = new BeatLog(executor);
  const log = new EventLog(executor, 'echo');
  for (const event of [1, { two: new Map([[1, 2n]]) }, 'three']) log.submit(event);
  await log.settled();
  const { events, strays } = log;
  const recorded = async () => {
    const ids = (await all(executor.outcomes())).map(({ id }) => id);
    return (await Promise.all(ids.map((id) => executor.outcome(id)))).filter((outcome) => outcome !== undefined);
  };
  return { executor, beats, evidence: { events, strays, recorded } satisfies EventEvidence };
}

/** As it was told, but for what is changed. */
const doctored = (events: readonly SmokeEvent[], index: number, change: Partial<SmokeEvent>) =>
  events.map((event, at) => (at === index ? { ...event, ...change } : event));

describe('events', () => {
  test('arrive once: each done, reported once, recorded once', async () => {
    const { evidence } = await ranThree();
    expect(await eventsArriveOnce.check(evidence)).toEqual({
      ok: true,
      actual: '3 events, each done, reported once, recorded once',
    });
  });

  test.each<[string, (evidence: EventEvidence) => EventEvidence | Promise<EventEvidence>, string]>([
    [
      'that were reported twice',
      (e) => ({ ...e, events: doctored(e.events, 1, { heard: [...e.events[1]!.heard, ...e.events[1]!.heard] }) }),
      'event-2 was reported 2 times, recorded 1 time',
    ],
    [
      'that were never reported',
      (e) => ({ ...e, events: doctored(e.events, 0, { heard: [] }) }),
      'event-1 was reported 0 times, recorded 1 time',
    ],
    [
      'that were not recorded',
      async (e) => {
        const outcomes = await e.recorded();
        return { ...e, recorded: async () => outcomes.filter(({ id }) => id !== 'event-3') };
      },
      'event-3 was reported 1 time, recorded 0 times',
    ],
    [
      'that were recorded twice',
      async (e) => {
        const outcomes = await e.recorded();
        return { ...e, recorded: async () => [...outcomes, outcomes[0]!] };
      },
      'event-1 was reported 1 time, recorded 2 times',
    ],
    [
      'that have no outcome',
      (e) => ({ ...e, events: doctored(e.events, 1, { told: null }) }),
      'event-2 has come to no end',
    ],
    [
      'that failed',
      (e) => ({ ...e, events: doctored(e.events, 1, { told: { state: 'not done', error: new Error('no price') } }) }),
      'event-2 is not done: no price',
    ],
    [
      'that nobody submitted',
      (e) => ({ ...e, strays: [{ ...e.events[0]!.heard[0]!, id: 'stranger' }] }),
      'stranger was never submitted',
    ],
    ['where there are none', (e) => ({ ...e, events: [], recorded: async () => [] }), 'no event came'],
  ])('%s are found', async (_, change, diagnostic) => {
    const { evidence } = await ranThree();
    expect(await eventsArriveOnce.check(await change(evidence))).toMatchObject({ ok: false, diagnostic });
  });

  test('are named up to six, and the rest counted', async () => {
    const { evidence } = await ranThree();
    const [event] = evidence.events;
    const events = Array.from({ length: 9 }, (_, index) => ({ ...event!, id: `lost-${index}`, told: null }));
    const { diagnostic } = await eventsArriveOnce.check({ events, strays: [], recorded: async () => [] });
    expect(diagnostic).toMatch(/^lost-0 has come to no end, .*lost-5 has come to no end and 3 more$/);
  });

  test("of an executor are heard, of tasks that are nobody's, too", async () => {
    const { executor, evidence } = await ranThree();
    await executor.submit('echo', 1, { id: 'stranger' });
    expect(await eventsArriveOnce.check(evidence)).toMatchObject({ ok: false });
    expect(evidence.strays.map(({ id }) => id)).toEqual(['stranger']);
  });
});

describe('the queue, opened again', () => {
  async function stopped() {
    const { executor, evidence } = await ranThree();
    await executor.stop();
    const { runDir } = executor;
    const sql = (statement: string) => {
      const db = new Database(join(runDir, 'queue.db'));
      db.exec(statement);
      db.close();
    };
    return { runDir, sql, evidence: { events: evidence.events, recorded: () => outcomesOnDisk(runDir) } };
  }

  test('holds every outcome as it was reported, values that are no JSON included', async () => {
    const { evidence } = await stopped();
    expect(await queueKeepsOutcomes.check(evidence)).toEqual({ ok: true, actual: '3 outcomes as reported' });
  });

  test.each([
    ['delete from outcomes where seq = 2', 'event-2 was reported, and is not there'],
    ["update outcomes set result = '4' where seq = 1", 'event-1 is there as done, and was reported otherwise'],
    ['update outcomes set attempts = 7 where seq = 1', 'event-1 is there as done, and was reported otherwise'],
    [
      "update submitted set id = 'other' where id = 'event-3'",
      'event-3 was reported, and is not there, other is there, and nobody submitted it',
    ],
  ])('is found out where it holds something else (%s)', async (statement, diagnostic) => {
    const { sql, evidence } = await stopped();
    sql(statement);
    expect(await queueKeepsOutcomes.check(evidence)).toMatchObject({ ok: false, diagnostic });
  });

  test('is found out where it is gone', async () => {
    const { runDir, evidence } = await stopped();
    rmSync(runDir, { recursive: true });
    expect(await queueKeepsOutcomes.check(evidence)).toMatchObject({
      ok: false,
      diagnostic: expect.stringContaining('event-1 was reported, and is not there') as string,
    });
  });

  test('is held against what the callers were told, not against what was announced alone', async () => {
    const { evidence } = await stopped();
    const otherwise = { state: 'done' as const, result: 'something else' };
    const events = doctored(evidence.events, 0, { told: otherwise });
    expect(await queueKeepsOutcomes.check({ ...evidence, events })).toMatchObject({ ok: false });
    const failed = doctored(evidence.events, 0, { told: { state: 'not done', error: new Error('x') } });
    expect(await queueKeepsOutcomes.check({ ...evidence, events: failed })).toMatchObject({ ok: false });
  });

  test('need not hold what never came to an end', async () => {
    const { evidence } = await stopped();
    const events = [...evidence.events, { id: 'event-4', event: 4, told: null, heard: [] }];
    expect(await queueKeepsOutcomes.check({ ...evidence, events })).toMatchObject({ ok: true });
  });
});

describe('beats', () => {
  test('go through every thread', async () => {
    const { beats } = await ranThree(3);
    expect(await threadsBeat.check({ threads: 3, beats, patienceMs: 5_000 })).toMatchObject({
      ok: true,
      actual: expect.stringMatching(/^3 threads in \d beats?$/) as string,
    });
  });

  test('of a thread that is not there are missed, and its number is told', async () => {
    const { beats } = await ranThree(2);
    expect(await threadsBeat.check({ threads: 3, beats, patienceMs: 50 })).toMatchObject({
      ok: false,
      diagnostic: expect.stringMatching(/^thread 3 not in \d beats?$/) as string,
    });
  });

  test('are waited for: a thread that loads after the first beat is in one of the next', async () => {
    const { executor, beats } = await ranThree(1);
    const checking = threadsBeat.check({ threads: 2, beats, patienceMs: 20_000 });
    await executor.scale(2);
    expect(await checking).toMatchObject({ ok: true });
  });
});

test('with all threads asked for, none is still loading when the executor is there', async () => {
  const slow = join(tempDir(), 'slow.mjs');
  writeFileSync(
    slow,
    `import { threadId } from 'node:worker_threads';
     import { readdirSync, writeFileSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     writeFileSync(new URL('./loading-' + threadId, import.meta.url), '');
     // The later ones take longer.
     const before = readdirSync(new URL('.', import.meta.url)).filter((name) => name.startsWith('loading-')).length;
     await sleep(60 * (before - 1));
     export default (input) => input;`,
  );
  const options = resolveOptions({ runId: 'smoke', handlers: slow, dir: tempDir(), threads: 3 });
  const { executor } = await startExecutor(options, { allThreads: true });
  onTestFinished(() => executor.stop({ force: true }));
  expect((await executor.status()).threads.map(({ state }) => state)).toEqual(['idle', 'idle', 'idle']);
});

describe('the health snapshot', () => {
  async function snapshot(): Promise<{ executor: Executor; healthFile: string; text: string }> {
    const { executor } = await ranThree();
    const healthFile = join(executor.runDir, 'health.json');
    const text = await waitFor('a snapshot', () => {
      try {
        return readFileSync(healthFile, 'utf8');
      } catch {
        return false;
      }
    });
    return { executor, healthFile, text };
  }

  test('is valid, of this process, and fresh; it is waited for', async () => {
    const { executor } = await ranThree();
    const healthFile = join(executor.runDir, 'health.json');
    expect(await healthIsFresh.check({ runId: 'smoke', healthFile, patienceMs: 5_000 })).toMatchObject({
      ok: true,
      actual: expect.stringMatching(/^valid, sequence \d+, \S+ old$/) as string,
    });
  });

  test.each<[string, (snapshot: Record<string, unknown>) => unknown, RegExp]>([
    ['is old', (s) => ({ ...s, updatedAt: Date.now() - 60_000 }), /^it is 1m old$/],
    ['is of the future', (s) => ({ ...s, updatedAt: Date.now() + 60_000 }), /^it is (1m|60s|59.\ds) ahead$/],
    ['is of another process', (s) => ({ ...s, pid: 1 }), /^it is of process 1, and this is \d+$/],
    ['is of another run', (s) => ({ ...s, runId: 'other' }), /^it is of run other$/],
    ['was never numbered', (s) => ({ ...s, sequence: 0 }), /^its sequence is 0$/],
    ['tells of no beat', (s) => ({ ...s, lastBeat: null }), /^it tells of no beat$/],
    ['lacks a field', (s) => ({ ...s, counts: undefined }), /counts/],
    ['is no JSON', () => 'half a fi', /not JSON/],
  ])('that %s is found out', async (_, change, diagnostic) => {
    const { executor, healthFile, text } = await snapshot();
    await executor.stop();
    const changed = change(JSON.parse(text) as Record<string, unknown>);
    writeFileSync(healthFile, typeof changed === 'string' ? changed : JSON.stringify(changed));
    const finding = await healthIsFresh.check({ runId: 'smoke', healthFile, patienceMs: 0 });
    expect(finding).toMatchObject({ ok: false, diagnostic: expect.stringMatching(diagnostic) as string });
  });

  test('that is missing is found out', async () => {
    const healthFile = join(tempDir(), 'health.json');
    expect(await healthIsFresh.check({ runId: 'smoke', healthFile, patienceMs: 20 })).toMatchObject({
      ok: false,
      diagnostic: 'there is no health.json',
    });
  });
});

describe('the queue', () => {
  test('is not open where the handlers run; a file of it that is, is named', async () => {
    const { executor } = await ranThree();
    const queueFile = join(executor.runDir, 'queue.db');
    const check = () => queueIsApart.check({ queueFile, openFiles: () => filesOpenIn(process.pid) });
    expect(existsSync(queueFile)).toBe(true);
    expect(await check()).toMatchObject({ ok: true });
    const fd = openSync(`${queueFile}-wal`, 'r');
    onTestFinished(() => closeSync(fd));
    expect(await check()).toMatchObject({
      ok: false,
      diagnostic: 'queue.db-wal is open in the process that runs the handlers',
    });
  });

  test('may be open for all that is known where the system shows no open files', async () => {
    expect(await queueIsApart.check({ queueFile: '/queue.db', openFiles: () => filesOpenIn(2 ** 30) })).toEqual({
      ok: true,
      actual: 'not known: the system does not show open files',
    });
  });
});

describe('what is left behind is named:', () => {
  /** Gives what is told of something that is opened, and not closed before the look. */
  async function told(open: () => Promise<() => unknown> | (() => unknown)): Promise<string> {
    const before = takeInventory();
    const close = await open();
    try {
      const { diagnostic = '' } = await nothingIsLeft.check({ left: () => leftSince(before) });
      return diagnostic;
    } finally {
      await close();
      expect(await leftSince(before)).toEqual([]);
    }
  }

  test('nothing, where all was closed', async () => {
    const before = takeInventory();
    const server = createServer().listen(0);
    await once(server, 'listening');
    server.close();
    expect(await nothingIsLeft.check({ left: () => leftSince(before) })).toEqual({ ok: true, actual: 'none' });
  });

  test('an interval, but not the timer of a deadline that runs meanwhile', async () => {
    // In a process of its own: here, timers of others come and go.
    const { said, stderr } = await program(`
      const { leftSince, takeInventory } = await import(${JSON.stringify(LEFTOVERS)});
      const before = takeInventory();
      const deadline = setTimeout(() => {}, 60_000);
      say(await leftSince(before, { ownTimers: 1 }));
      const leaked = setInterval(() => {}, 1_000);
      setInterval(() => {}, 1_000).unref();
      say(await leftSince(before, { ownTimers: 1 }));
      setInterval(() => {}, 1_000);
      say(await leftSince(before, { ownTimers: 1 }));
      process.exit();
    `);
    expect({ said, stderr }).toEqual({ said: [[], ['a timer'], ['a timer (2 times)']], stderr: '' });
  });

  test('a thread', async () => {
    const text = await told(async () => {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      worker.unref();
      await once(worker, 'online');
      return () => worker.terminate();
    });
    expect(text).toMatch(/^thread \d+/);
  });

  test('a child process, with its command', async () => {
    const text = await told(async () => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore' });
      await once(child, 'spawn');
      return async () => {
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
    });
    expect(text).toMatch(/^child process \d+ \(sleep 60\)$/);
  });

  test('a server, with its port; a watcher, with its path; several alike, once', async () => {
    const text = await told(async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const folder = tempDir();
      const watchers = [watch(folder), watch(folder)];
      return () => {
        server.close();
        for (const watcher of watchers) watcher.close();
      };
    });
    expect(text).toMatch(/^tcp handle \(127\.0\.0\.1:\d+\), fs_event handle \(.*holdfast-test.*\) \(2 times\)$/);
  });

  test('a pipe that is listened on, with its path', async () => {
    const path = join(tempDir(), 'socket');
    const text = await told(async () => {
      const server = createServer().listen(path);
      await once(server, 'listening');
      return () => server.close();
    });
    expect(text).toBe(`pipe handle (${path})`);
  });

  test('a channel between threads', async () => {
    const text = await told(() => {
      const channel = new BroadcastChannel('left');
      return () => channel.close();
    });
    expect(text).toBe('a message port');
  });

  test('not what closes a moment later', async () => {
    const before = takeInventory();
    const child = spawn('true', { stdio: 'ignore' });
    // Who cannot wait is told of it.
    expect(await leftSince(before, { patienceMs: 0 })).toEqual([expect.stringMatching(/^child process \d+/)]);
    expect(await leftSince(before)).toEqual([]);
    expect(child.exitCode).toBe(0);
  });
});
