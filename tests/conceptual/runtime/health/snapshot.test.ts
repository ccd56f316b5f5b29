import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readHealth, type HealthSnapshot } from '../../../../dist/runtime/health/snapshot.js';
import { SnapshotWriter, type SnapshotBody } from '../../../../dist/runtime/health/snapshot-writer.js';
import { deferred } from '../../../support/deferred.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

const NO_TASKS = { queued: 0, delayed: 0, running: 0, done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };

const DEFAULTS: HealthSnapshot = {
  schema: 1,
  sequence: 0,
  runId: '',
  pid: null,
  pidStartTicks: null,
  state: 'stopped',
  startedAt: null,
  updatedAt: null,
  counts: NO_TASKS,
  threads: [],
  lastBeat: null,
  missedBeats: 0,
  lastError: null,
  activity: { paused: false, draining: false, note: '' },
};

const FULL: HealthSnapshot = {
  schema: 1,
  sequence: 7,
  runId: 'nightly',
  pid: 4711,
  pidStartTicks: 99,
  state: 'paused',
  startedAt: 1000,
  updatedAt: 2000,
  counts: { ...NO_TASKS, queued: 3, done: 4 },
  threads: [{ number: 1, state: 'idle', running: 0, lastBeat: 1500.5, tasksDone: 4, heapUsed: 12 }],
  lastBeat: { count: 2, uptimeMs: 1000.25, at: 1999, tookMs: 0.5, threads: [1] },
  missedBeats: 1,
  lastError: { at: 1800, source: 'task', code: 'ERR_X', message: 'no' },
  activity: { paused: true, draining: false, note: 'paused, 3 waiting' },
};

function written(content: string): string {
  const path = join(tempDir(), 'health.json');
  writeFileSync(path, content);
  return path;
}

const read = (value: unknown) => readHealth(written(typeof value === 'string' ? value : JSON.stringify(value)));

describe('reading a snapshot', () => {
  test('gives what was written', () => {
    expect(read(FULL)).toEqual({ snapshot: FULL, problems: [] });
    const bare = { ...FULL, lastBeat: null, lastError: null, pidStartTicks: null };
    expect(read(bare)).toEqual({ snapshot: bare, problems: [] });
  });

  test.each([
    ['', 'is empty'],
    ['{"schema":1,"seq', 'is not JSON (16 characters)'],
    ['[]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['7', 'is not a JSON object'],
  ])('of %j gives defaults, and says so', (content, problem) => {
    expect(read(content)).toEqual({ snapshot: DEFAULTS, problems: [problem] });
  });

  test('that is not there, or cannot be read, gives defaults, and says so', () => {
    const dir = tempDir();
    expect(readHealth(join(dir, 'health.json'))).toEqual({ snapshot: DEFAULTS, problems: ['there is no health.json'] });
    const { snapshot, problems } = readHealth(dir);
    expect(snapshot).toEqual(DEFAULTS);
    expect(problems).toEqual([expect.stringMatching(/^cannot be read: EISDIR/)]);
  });

  test('that holds a part keeps that part, and names each field that is missing', () => {
    const { counts: _, lastBeat: __, activity: ___, ...part } = FULL;
    const { snapshot, problems } = read(part);
    expect(snapshot).toEqual({ ...FULL, counts: NO_TASKS, lastBeat: null, activity: DEFAULTS.activity });
    expect(problems.toSorted()).toEqual(['activity: is missing', 'counts: is missing', 'lastBeat: is missing']);
  });

  test('replaces each field that is not as it should be, alone, and says what it wants', () => {
    const { snapshot, problems } = read({
      ...FULL,
      pid: 'x',
      state: 'asleep',
      counts: { ...FULL.counts, queued: -1, done: null },
      threads: [{ ...FULL.threads[0], state: 'gone', tasksDone: 'many' }],
      lastBeat: { ...FULL.lastBeat, threads: ['one'] },
      lastError: { at: 1, source: 'nobody', code: 7, message: 'no' },
      activity: { ...FULL.activity, paused: 1 },
    });
    expect(snapshot).toEqual({
      ...FULL,
      pid: null,
      state: 'stopped',
      counts: { ...FULL.counts, queued: 0, done: 0 },
      threads: [{ ...FULL.threads[0], state: 'loading', tasksDone: 0 }],
      lastBeat: null,
      lastError: null,
      activity: { ...FULL.activity, paused: false },
    });
    expect(problems).toEqual(
      [
        'counts.queued: must be a number of at least 0',
        'counts.done: must be a number of at least 0',
        'pid: must be a number of at least 0',
        'state: must be one of running, paused, draining, failed, stopping, stopped',
        'threads.0.state: must be one of loading, idle, busy, retiring',
        'threads.0.tasksDone: must be a number of at least 0',
        'lastBeat.threads: must be a list of numbers',
        'lastError.source: must be one of task, thread, beat, executor',
        'lastError.code: must be a string',
        'activity.paused: must be true or false',
      ].toSorted((a, b) => problems.indexOf(a) - problems.indexOf(b)),
    );
  });

  test('of another version is told, and read as far as it goes', () => {
    const { snapshot, problems } = read({ ...FULL, schema: 2, more: true });
    expect(snapshot).toEqual(FULL);
    expect(problems).toEqual(['schema: must be 1, got 2: another version wrote it']);
  });

  test('never throws, and always gives a whole one: whatever stands in the file', () => {
    const shape = (value: unknown): unknown => {
      if (Array.isArray(value)) return 'list';
      if (typeof value !== 'object' || value === null) return 'leaf';
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]));
    };
    const damaged = fc
      .tuple(fc.constantFrom(...Object.keys(FULL)), fc.jsonValue())
      .map(([key, value]) => ({ ...FULL, [key]: value }));
    const cut = fc.nat(JSON.stringify(FULL).length).map((length) => JSON.stringify(FULL).slice(0, length));
    const path = join(tempDir(), 'health.json');
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), damaged, cut), (content) => {
        writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
        const { snapshot, problems } = readHealth(path);
        const { lastBeat: _, lastError: __, ...rest } = snapshot;
        const { lastBeat: ___, lastError: ____, ...fullRest } = FULL;
        expect(shape(rest)).toEqual(shape(fullRest));
        // What was read without a problem is what would be read again.
        writeFileSync(path, JSON.stringify(snapshot));
        if (problems.length === 0) expect(readHealth(path)).toEqual({ snapshot, problems: [] });
      }),
      { numRuns: runs(300) },
    );
  });
});

const { schema: _schema, sequence: _sequence, ...BODY } = FULL;

/** A writer of a folder of its own; `told` is what it told after each write. */
function writer(settings: { path?: string; body?: () => SnapshotBody; mayWrite?: () => boolean } = {}) {
  const path = settings.path ?? join(tempDir(), 'health.json');
  const told: (string | undefined)[] = [];
  const made = new SnapshotWriter({
    body: () => BODY,
    mayWrite: () => true,
    onWritten: (error?: NodeJS.ErrnoException) => told.push(error?.code),
    ...settings,
    path,
  });
  return { path, told, writer: made };
}

describe('writing snapshots', () => {
  test('leaves one file, for this user alone, and nothing beside it', async () => {
    const { path, told, writer: made } = writer();
    await made.written();
    expect(readHealth(path)).toEqual({ snapshot: { ...FULL, sequence: 1 }, problems: [] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['health.json']);
    expect(told).toEqual([undefined]);
  });

  test('has the content on the disk before it has its name: a power cut leaves no empty one', async () => {
    const { path, writer: made } = writer();
    const any = await open(import.meta.filename);
    const handles = Object.getPrototypeOf(any) as typeof any;
    await any.close();
    const synced: unknown[] = [];
    const sync = vi.spyOn(handles, 'sync').mockImplementation(async () => {
      synced.push([existsSync(path), readHealth(`${path}.tmp`).problems]);
    });
    onTestFinished(() => sync.mockRestore());
    await made.written();
    expect(synced).toEqual([[false, []]]);
    expect(existsSync(path)).toBe(true);
  });

  test('goes on with the numbers of who wrote before, and from 1 where nobody can tell', async () => {
    const { path, writer: made } = writer();
    writeFileSync(path, JSON.stringify(FULL));
    await made.written();
    await made.written();
    expect(readHealth(path).snapshot.sequence).toBe(9);
    writeFileSync(path, 'damaged');
    await writer({ path }).writer.written();
    expect(readHealth(path).snapshot.sequence).toBe(1);
  });

  test('puts up with what a dead writer left beside it', async () => {
    const { path, writer: made } = writer();
    writeFileSync(`${path}.tmp`, '{"half":', { mode: 0o644 });
    await made.written();
    expect(readHealth(path).problems).toEqual([]);
    expect(existsSync(`${path}.tmp`)).toBe(false);
  });

  test('however often one is asked for meanwhile, one more is written, of how things stand then', async () => {
    let note = 'first';
    const { path, writer: made } = writer({ body: () => ({ ...BODY, activity: { ...BODY.activity, note } }) });
    made.write();
    await Promise.resolve();
    for (let i = 0; i < 10; i++) made.write();
    note = 'last';
    await made.written();
    const { snapshot } = readHealth(path);
    expect([snapshot.sequence, snapshot.activity.note]).toEqual([2, 'last']);
  });

  test('no reader ever sees a piece, or an older one after a newer one', async () => {
    const large = { ...BODY, activity: { ...BODY.activity, note: 'x'.repeat(300_000) } };
    const { path, writer: made } = writer({ body: () => large });
    await made.written();
    let reading = true;
    let last = 0;
    const reads = (async () => {
      while (reading) {
        const { snapshot, problems } = readHealth(path);
        expect(problems).toEqual([]);
        expect(snapshot.sequence).toBeGreaterThanOrEqual(last);
        last = snapshot.sequence;
        await new Promise(setImmediate);
      }
    })();
    for (let i = 0; i < 30; i++) await Promise.all([made.written(), made.written()]);
    reading = false;
    await reads;
    expect(readHealth(path).snapshot.sequence).toBeGreaterThanOrEqual(31);
  });

  test('drops what waits when it is to be quiet, and can go on after', async () => {
    const { path, writer: made } = writer();
    made.write();
    await made.quiet();
    expect(existsSync(path)).toBe(false);
    await made.written();
    expect(readHealth(path).snapshot.sequence).toBe(1);
    await made.quiet();
  });

  test('tells of each write that failed, and goes on once it can', async () => {
    const { path, told, writer: made } = writer();
    mkdirSync(path);
    await made.written();
    rmSync(path, { recursive: true });
    await made.written();
    rmSync(join(path, '..'), { recursive: true });
    await made.written();
    expect(told).toEqual(['EISDIR', undefined, 'ENOENT']);
  });

  test('never touches a run that is not ours any more', async () => {
    let ours = false;
    const { path, told, writer: made } = writer({ mayWrite: () => ours });
    writeFileSync(path, 'of another');
    await made.written();
    await made.remove();
    expect([readFileSync(path, 'utf8'), told]).toEqual(['of another', []]);
    ours = true;
    await made.remove();
    expect(existsSync(path)).toBe(false);
  });

  test('leaves the file of another that came in the middle of a write', async () => {
    const begun = deferred();
    let asked = 0;
    const { path, writer: made } = writer({
      mayWrite: () => {
        if (++asked === 1) begun.resolve();
        return asked === 1;
      },
    });
    made.write();
    await begun.promise;
    writeFileSync(path, 'of another');
    await made.quiet();
    expect(readFileSync(path, 'utf8')).toBe('of another');
  });

  test('puts up with what cannot be taken away', async () => {
    const { path, writer: made } = writer();
    mkdirSync(path);
    await made.remove();
    expect(existsSync(path)).toBe(true);
  });
});
