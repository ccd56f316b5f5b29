import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Health, type HealthSubject } from '../../../../dist/runtime/health/health.js';
import { parseHttpAddress, urlOf } from '../../../../dist/base/http-address.js';
import { LastErrors } from '../../../../dist/runtime/health/last-error.js';
import { noteOf } from '../../../../dist/runtime/health/note.js';
import { answerProbes } from '../../../../dist/runtime/health/probes.js';
import { processState } from '../../../../dist/system/process-state.js';
import { readHealth } from '../../../../dist/runtime/health/snapshot.js';
import type { ExecutorMode } from '../../../../dist/runtime/status.js';
import { deferred } from '../../../support/deferred.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const NO_TASKS = { queued: 0, delayed: 0, running: 0, done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };

/** The health of a subject that is all well, but for what a test changes; it ends with the test. */
function health(changes: Partial<HealthSubject> = {}) {
  const subject: HealthSubject = {
    runId: 'run-1',
    file: join(tempDir(), 'health.json'),
    keep: true,
    mode: () => 'running',
    threads: () => [{ number: 1, state: 'idle', running: 0, lastBeat: null, tasksDone: 0, heapUsed: 0 }],
    counts: async () => NO_TASKS,
    rollCall: async () => ({ present: [1], missing: [] }),
    mayWrite: () => true,
    ...changes,
  };
  const told: string[] = [];
  const made = new Health(subject, {
    onBeat: ({ count }) => told.push(`beat ${count}`),
    onMissed: ({ reason, missed }) => told.push(`missed ${missed}: ${reason}`),
    onUnwritable: ({ message }) => told.push(message.split(':', 1)[0]!),
  });
  onTestFinished(() => made.stop());
  const until = (text: string) => waitFor(`"${text}" to be told`, () => told.some((each) => each.startsWith(text)));
  return { health: made, subject, told, until };
}

describe('the health of an executor', () => {
  test('is good once a beat has come, and a snapshot of it is on the disk', async () => {
    const { health: made, subject, until } = health();
    expect(made.status).toEqual({ healthy: true, why: null, lastBeat: null, missedBeats: 0, lastError: null });
    expect(made.probe().startup.ok).toBe(false);
    made.start();
    await until('beat 1');
    expect(made.status).toMatchObject({ healthy: true, lastBeat: { count: 1, threads: [1] } });
    expect(made.probe().startup.ok).toBe(true);
    await waitFor('a snapshot', () => readHealth(subject.file).snapshot.lastBeat?.count === 1);
    expect(readHealth(subject.file)).toMatchObject({
      problems: [],
      snapshot: { runId: 'run-1', pid: process.pid, state: 'running', activity: { note: 'nothing to do' } },
    });
  });

  test.each([
    ['fails', () => Promise.reject(new Error('no disk')), 'the queue failed: no disk'],
    ['hangs', () => new Promise<never>(() => {}), 'the queue did not answer within 1s'],
  ])('is bad when its queue %s, and good again once it answers', async (_, counts, why) => {
    let trouble: (() => Promise<never>) | undefined = counts;
    const asked = deferred<typeof NO_TASKS>();
    let questions = 0;
    const {
      health: made,
      subject,
      until,
    } = health({
      counts: () => {
        questions++;
        if (trouble === undefined) return Promise.resolve(NO_TASKS);
        // One that hangs answers late.
        return Promise.race([trouble(), asked.promise]);
      },
    });
    made.start();
    await until(`missed 1: ${why}`);
    expect(questions).toBe(1);
    expect(made.status).toMatchObject({ healthy: false, why, lastError: { source: 'beat', message: why } });
    expect(made.probe().live).toEqual({ ok: false, why });
    await waitFor('a snapshot', () => readHealth(subject.file).snapshot.lastError?.message === why);
    trouble = undefined;
    asked.resolve(NO_TASKS);
    await until('beat 1');
    expect(made.status).toMatchObject({ healthy: true, why: null, lastError: null });
    expect(made.status.missedBeats).toBeGreaterThan(0);
  });

  test('does not ask a queue again that has not answered yet', async () => {
    let questions = 0;
    const { health: made, until } = health({
      counts: () => {
        questions++;
        return new Promise(() => {});
      },
    });
    made.start();
    await until('missed 2');
    expect(questions).toBe(1);
  });

  test('names each thread that does not turn, and why', async () => {
    const missing = [
      { thread: 2, silentMs: null },
      { thread: 3, silentMs: 31_400 },
    ];
    const { health: made, until } = health({ rollCall: async () => ({ present: [1], missing }) });
    made.start();
    await until('missed 1: thread 2 is idle and does not answer; thread 3 has been silent for 31s');
  });

  test('is bad for good once the executor has failed', async () => {
    let mode: ExecutorMode = 'running';
    const { health: made, until } = health({ mode: () => mode });
    made.start();
    await until('beat 1');
    mode = 'failed';
    made.failed(Object.assign(new Error('the lock is lost'), { code: 'ERR_LOCK_LOST' }));
    await until('beat 2');
    const why = 'the executor failed: the lock is lost';
    expect(made.status).toMatchObject({ healthy: false, why });
    expect(made.status.lastError).toMatchObject({ source: 'executor', code: 'ERR_LOCK_LOST' });
    expect(made.probe()).toMatchObject({ live: { ok: false, why }, ready: { ok: false, why }, startup: { ok: true } });
  });

  test('tells a thread that died in at least one snapshot, and forgets it when all have turned since', async () => {
    const { health: made, subject, until } = health();
    made.start();
    await until('beat 1');
    made.threadDied(2, new Error('heap'));
    await until('beat 2');
    await waitFor('a snapshot of it', () => readHealth(subject.file).snapshot.lastError?.source === 'thread');
    await until('beat 3');
    expect(made.status.lastError).toBeNull();
  });

  test('remembers a task that failed until one is done; a task that was cancelled is no failure', () => {
    const { health: made } = health();
    const error = { name: 'Error', message: 'no', code: 'ERR_X' };
    made.settled({ state: 'cancelled', error });
    expect(made.status.lastError).toBeNull();
    made.settled({ state: 'failed', error });
    expect(made.status).toMatchObject({ healthy: true, lastError: { source: 'task', message: 'no', code: 'ERR_X' } });
    made.settled({ state: 'cancelled', error });
    expect(made.status.lastError).not.toBeNull();
    made.settled({ state: 'done', error: undefined });
    expect(made.status.lastError).toBeNull();
    made.settled({ state: 'timed-out', error: undefined });
    expect(made.status.lastError).toMatchObject({ source: 'task', message: 'a task ended timed-out' });
  });
});

describe('a snapshot', () => {
  test('is written at each change of mode, between beats', async () => {
    let mode: ExecutorMode = 'running';
    const {
      health: made,
      subject,
      until,
    } = health({ mode: () => mode, counts: async () => ({ ...NO_TASKS, queued: 2 }) });
    made.start();
    await until('beat 1');
    mode = 'paused';
    await made.modeChanged();
    await waitFor('paused', () => readHealth(subject.file).snapshot.state === 'paused');
    const { activity, lastBeat } = readHealth(subject.file).snapshot;
    expect(activity).toEqual({ paused: true, draining: false, note: 'paused, 2 waiting' });
    expect(lastBeat?.count).toBe(1);
    mode = 'draining';
    await made.modeChanged();
    await waitFor('draining', () => readHealth(subject.file).snapshot.activity.draining);
  });

  test('after the stop is the last, and says so; nothing is written or told from then on', async () => {
    const { health: made, subject, told, until } = health();
    made.start();
    await until('beat 1');
    await made.stop();
    await made.writeLast();
    const last = readHealth(subject.file).snapshot;
    expect([last.state, last.activity.note]).toEqual(['stopped', 'stopped']);
    await made.modeChanged();
    // Longer than a beat, by the clock of another one.
    const other = health();
    other.health.start();
    await other.until('beat 3');
    expect(readHealth(subject.file).snapshot).toEqual(last);
    expect(told).toEqual(['beat 1']);
  });

  test('is taken away by the stop where none is to stay', async () => {
    const { health: made, subject, until } = health({ keep: false });
    made.start();
    await until('beat 1');
    await waitFor('a snapshot', () => existsSync(subject.file));
    await made.stop();
    await made.writeLast();
    expect(existsSync(subject.file)).toBe(false);
  });

  test('that cannot be written is told once, harms nothing, and is forgotten once it can', async () => {
    const { health: made, subject, told, until } = health();
    mkdirSync(subject.file);
    made.start();
    await until('EISDIR');
    await until('beat 2');
    expect(made.status).toMatchObject({ healthy: true, lastError: { source: 'executor' } });
    expect(told.filter((each) => each.startsWith('EISDIR'))).toHaveLength(1);
    rmSync(subject.file, { recursive: true });
    await waitFor('it to be forgotten', () => made.status.lastError === null);
    await made.stop();
    rmSync(join(subject.file, '..'), { recursive: true });
    await made.writeLast();
    expect(told.at(-1)).toBe('ENOENT');
  });

  test('that cannot be written hides no failure of the executor', async () => {
    const { health: made, subject, until } = health();
    made.failed(new Error('first'));
    mkdirSync(subject.file);
    made.start();
    await until('EISDIR');
    expect(made.status.lastError?.message).toBe('first');
    rmSync(subject.file, { recursive: true });
    await waitFor('a snapshot', () => readHealth(subject.file).snapshot.sequence > 0);
    expect(made.status.lastError?.message).toBe('first');
  });

  test('says where the queue stands as far as it told', async () => {
    const { health: made, subject } = health({ counts: () => Promise.reject(new Error('gone')) });
    await made.modeChanged();
    await waitFor('a snapshot', () => readHealth(subject.file).snapshot.counts.queued === 0);
  });
});

test('the first beat comes when whoever made the executor can listen to it, and not before', async () => {
  const { health: made, told, until } = health();
  made.start();
  for (let i = 0; i < 100; i++) await Promise.resolve();
  expect(told).toEqual([]);
  await until('beat 1');
});

test('a health that is stopped before it began never begins', async () => {
  const { health: made, told } = health();
  made.start();
  await made.stop();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect([told, made.status.lastBeat]).toEqual([[], null]);
});

describe('the last error', () => {
  test('is the latest of all sources; a success takes away its own source alone', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1 });
    onTestFinished(() => void vi.useRealTimers());
    const errors = new LastErrors();
    errors.clear('task');
    expect(errors.latest).toBeNull();
    errors.set('task', { message: 'one', code: 'ERR_ONE' });
    errors.set('beat', { message: 'two' });
    errors.set('task', { message: 'three' });
    expect(errors.latest).toEqual({ at: 1, source: 'task', message: 'three' });
    errors.clear('thread');
    expect(errors.latest?.message).toBe('three');
    errors.clear('task');
    expect(errors.latest).toEqual({ at: 1, source: 'beat', message: 'two' });
    expect(errors.of('task')).toBeUndefined();
    errors.clear('beat');
    expect(errors.latest).toBeNull();
  });
});

test.each<[ExecutorMode, Partial<typeof NO_TASKS>, string]>([
  ['running', { running: 3, queued: 100, delayed: 20 }, 'running 3 tasks, 120 waiting'],
  ['running', { running: 1 }, 'running 1 task, 0 waiting'],
  ['running', { queued: 1200 }, '1,200 waiting'],
  ['running', { delayed: 2 }, '2 waiting to be tried again'],
  ['running', { done: 9 }, 'nothing to do'],
  ['paused', { queued: 2 }, 'paused, 2 waiting'],
  ['paused', { running: 2, queued: 2 }, 'paused, 2 running tasks left, 2 waiting'],
  ['draining', { running: 2, queued: 9 }, 'waiting for 2 running tasks'],
  ['draining', { queued: 9 }, 'ending'],
  ['stopping', { running: 1 }, 'waiting for 1 running task'],
  ['failed', { running: 1 }, 'failed, waiting for 1 running task'],
  ['failed', {}, 'failed'],
  ['stopped', { queued: 3, delayed: 1 }, 'stopped, 4 left'],
  ['stopped', { done: 3 }, 'stopped'],
])('an executor that is %s, with %j, says of itself: %s', (mode, counts, note) => {
  expect(noteOf(mode, { ...NO_TASKS, ...counts })).toBe(note);
});

describe('the probes', () => {
  const beat = { count: 1, uptimeMs: 0, at: 0, tookMs: 0, threads: [] };
  const well = { healthy: true, why: null, lastBeat: beat };
  const answers = (...args: Parameters<typeof answerProbes>) => {
    const { live, ready, startup } = answerProbes(...args);
    return [live, ready, startup].map(({ ok, why }) => (ok ? 'ok' : why));
  };

  test('are good while it runs, beats, and has a thread', () => {
    const vitals = {
      mode: 'running' as const,
      health: well,
      threads: [{ state: 'busy' }, { state: 'loading' }] as const,
    };
    expect(answerProbes(vitals)).toEqual({
      live: { ok: true, why: 'running' },
      ready: { ok: true, why: '1 thread' },
      startup: { ok: true, why: 'it has started' },
    });
  });

  test('tell what is wrong', () => {
    const threads = [{ state: 'idle' }] as const;
    const missed = { healthy: false, why: 'the queue hangs', lastBeat: beat };
    expect(answers({ mode: 'paused', health: well, threads })).toEqual(['ok', 'it is paused', 'ok']);
    expect(answers({ mode: 'draining', health: well, threads })).toEqual(['ok', 'it is draining', 'ok']);
    expect(answers({ mode: 'running', health: well, threads: [] })).toEqual(['ok', 'no thread has loaded', 'ok']);
    expect(answers({ mode: 'running', health: missed, threads })).toEqual(['the queue hangs', 'the queue hangs', 'ok']);
    const none = { healthy: true, why: null, lastBeat: null };
    const early = 'no beat has come yet';
    expect(answers({ mode: 'running', health: none, threads })).toEqual(['ok', early, early]);
    expect(answers({ mode: 'failed', health: { ...missed, why: null }, threads })[0]).toBe('it is not healthy');
  });
});

describe('an address to serve health on', () => {
  test.each([
    [9090, '127.0.0.1', 9090, 'http://127.0.0.1:9090'],
    ['0', '127.0.0.1', 0, 'http://127.0.0.1:0'],
    ['0.0.0.0:9090', '0.0.0.0', 9090, 'http://0.0.0.0:9090'],
    ['localhost:65535', 'localhost', 65535, 'http://localhost:65535'],
    ['[::1]:80', '::1', 80, 'http://[::1]:80'],
  ])('%j is host %s, port %i', (given, host, port, url) => {
    expect(parseHttpAddress(given)).toEqual({ host, port });
    expect(urlOf({ host, port })).toBe(url);
  });

  test.each([
    ':9090',
    '',
    '65536',
    '-1',
    'x',
    'host:',
    '::1:80',
    '[::1]',
    'http://h:1',
    'a b:1',
    1.5,
    -1,
    null,
    [80],
    {},
  ])('%j is none', (given) => {
    expect(() => parseHttpAddress(given)).toThrow(/^must be a port, or host:port, such as .*; got /);
  });
});

describe('what the kernel says of a process', () => {
  test('is its state, its parent and its start', () => {
    const self = processState('self')!;
    expect(self).toEqual(processState(process.pid));
    expect(self.parent).toBe(process.ppid);
    expect(self.letter).toBe('R');
    expect(self.startTicks).toBeGreaterThan(processState(1)!.startTicks);
  });

  test('is nothing of one that is not there', () => {
    expect(processState(2 ** 22 + 1)).toBeUndefined();
  });
});
