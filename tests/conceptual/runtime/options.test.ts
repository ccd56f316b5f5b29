import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveRunFlags } from '../../../dist/cli/run/run-flags.js';
import type { InvalidInputError } from '../../../dist/base/errors.js';
import { closest, quoted } from '../../../dist/base/faults.js';
import { resolveOptions, type ExecutorOptions } from '../../../dist/runtime/options.js';

const around = { cwd: '/srv/jobs', env: {} };
const least: ExecutorOptions = { runId: 'a', handlers: './x.mjs' };

const resolve = (options: object) => resolveOptions({ ...least, ...options }, around);

function faultsOf(action: () => unknown): Record<string, string> {
  try {
    action();
  } catch (error) {
    const { faults } = error as InvalidInputError;
    return Object.fromEntries(faults.map(({ where, problem }) => [where, problem]));
  }
  throw new Error('nothing was refused');
}

describe('the options of an executor', () => {
  test('have the defaults that their descriptions tell', () => {
    expect(resolve({})).toEqual({
      runId: 'a',
      handlers: 'file:///srv/jobs/x.mjs',
      dir: '/srv/jobs/.runtime',
      threads: availableParallelism(),
      concurrency: 1,
      timeoutMs: undefined,
      retries: 0,
      backoff: { baseMs: 1_000, maxMs: 60_000 },
      rate: undefined,
      delayMs: 0,
      memoryBytes: undefined,
      memoryTotalBytes: undefined,
      maxCrashes: 3,
      durable: true,
      graceMs: 2_000,
      recycleAfterTasks: undefined,
      recycleAboveBytes: undefined,
      stallAfterMs: 30_000,
      steerable: false,
    });
  });

  test('take durations and sizes as numbers or with a unit', () => {
    const given = resolve({
      timeout: '1.5s',
      grace: 0,
      backoff: { base: 10, max: '1s' },
      memory: '128MB',
      memoryTotal: '4GB',
      recycleAboveMemory: 64 * 1024 ** 2,
      stallAfter: 1.5,
    });
    expect(given).toMatchObject({
      timeoutMs: 1_500,
      graceMs: 0,
      backoff: { baseMs: 10, maxMs: 1_000 },
      memoryBytes: 134_217_728,
      memoryTotalBytes: 4_294_967_296,
      recycleAboveBytes: 67_108_864,
      stallAfterMs: 2,
    });
  });

  test('take a rate as tasks in a period', () => {
    expect(resolve({ rate: '50/s' }).rate).toEqual({ tasks: 50, periodMs: 1_000 });
    expect(resolve({ rate: '600/m', delay: '10ms' })).toMatchObject({ rate: { periodMs: 60_000 }, delayMs: 10 });
    expect(resolve({ rate: '5/1.5h' }).rate).toEqual({ tasks: 5, periodMs: 5_400_000 });
  });

  test('survive the way to a child as JSON', () => {
    const resolved = resolve({ threads: 2, timeout: '2s' });
    expect(JSON.parse(JSON.stringify(resolved))).toEqual(JSON.parse(JSON.stringify({ ...resolved })));
    expect(JSON.parse(JSON.stringify(resolved))).toMatchObject({ threads: 2, timeoutMs: 2_000 });
  });

  test('find the state folder: the option first, then RUNTIME_DIR, then .runtime', () => {
    const inEnv = (dir: string, options = {}) =>
      resolveOptions({ ...least, ...options }, { cwd: '/srv/jobs', env: { RUNTIME_DIR: dir } }).dir;
    expect(inEnv('/state')).toBe('/state');
    expect(inEnv('/state', { dir: 'mine' })).toBe('/srv/jobs/mine');
    expect(inEnv('')).toBe('/srv/jobs/.runtime');
  });

  test('take the module as a path, a file: URL or its text', () => {
    const url = pathToFileURL('/a b/x.mjs');
    expect(resolve({ handlers: url }).handlers).toBe('file:///a%20b/x.mjs');
    expect(resolve({ handlers: url.href }).handlers).toBe('file:///a%20b/x.mjs');
    expect(resolve({ handlers: '/a b/x.mjs' }).handlers).toBe('file:///a%20b/x.mjs');
  });

  test('use the process where no surroundings are given', () => {
    expect(resolveOptions(least).handlers).toBe(pathToFileURL(`${process.cwd()}/x.mjs`).href);
  });

  test.each([
    ['threads', [NaN, 0, -1, 1.5, 1e9, Infinity, '2', null, {}]],
    ['concurrency', [0, NaN, 100_001]],
    ['retries', [-1, 1_001, 0.5]],
    ['maxCrashes', [0, -3, NaN]],
    ['timeout', [NaN, 0, -1, Infinity, 2 ** 31, '0s', '30', '25d', true, null, {}]],
    ['grace', [-1, '1x']],
    ['stallAfter', [0, '']],
    ['memory', [0, NaN, '1MB', 1024, '128', '2000GB']],
    ['recycleAfterTasks', [0, -1, NaN]],
    ['recycleAboveMemory', [1, '1KB']],
    ['durable', ['yes', 1, null]],
    ['dir', ['', 3]],
    ['handlers', ['', 3, null, 'https://example.org/x.mjs', 'http://', new URL('data:text/javascript,0')]],
    ['rate', ['', '50', 50, '50/', '0/s', '1000001/s', '1/30d', '1/0s', '-1/s', '1/s/s', null, {}]],
    ['delay', [-1, '1', null]],
    ['backoff', [3, null, { base: '2m' }, { base: 5, max: 4 }]],
  ] as [string, unknown[]][])('refuse an absurd %s by name', (name, values) => {
    for (const value of values) {
      expect(Object.keys(faultsOf(() => resolve({ [name]: value }))), quoted(value)).toEqual([name]);
    }
  });

  test('tell all faults together, nested and unknown ones too, with what was meant', () => {
    const faults = faultsOf(() =>
      resolve({ thread: 2, threads: 0, timeout: '30', backoff: { bsae: 1, max: 'x' }, qqqqqq: 1, z: 1 }),
    );
    expect(faults).toEqual({
      thread: 'is unknown; did you mean "threads"?',
      threads: 'must be a whole number from 1 to 1024, got 0',
      timeout: '"30" has no unit: write 500ms, 2s, 5m, 1h or 1d',
      'backoff.bsae': 'is unknown; did you mean "base"?',
      'backoff.max': '"x" is not a duration: write 500ms, 2s, 5m, 1h or 1d',
      qqqqqq: 'is unknown',
      z: 'is unknown',
    });
  });

  test('tell a backoff that cannot be, with the default it collides with', () => {
    expect(faultsOf(() => resolve({ backoff: { base: '2m' } }))).toEqual({
      backoff: 'base (2m) is longer than max (1m)',
    });
  });

  test('that are no object at all are a fault of their own', () => {
    expect(faultsOf(() => resolveOptions(undefined as never))).toEqual({
      options: 'must be an object, got undefined',
    });
  });

  test('accept exactly the run ids that are safe as a file name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9._/-]{1,130}$/)), (runId) => {
        const safe = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(runId) && !runId.includes('\n');
        if (safe) expect(resolve({ runId }).runId).toBe(runId);
        else expect(() => resolve({ runId })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_RUN_ID' }));
      }),
    );
  });

  test('have the code of a run id only where nothing else is wrong', () => {
    expect(() => resolve({ runId: '../a' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_RUN_ID' }));
    expect(() => resolve({ runId: '../a', threads: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }),
    );
    expect(() => resolve({ runId: 3 })).toThrow('runId: must be a string, got 3');
  });
});

describe('the flags of runtime run', () => {
  const flags = (given: object) => resolveRunFlags('./jobs/x.mjs', { ...given }, [], around);

  test('come to the same options as in code', () => {
    const { executor, ...rest } = flags({
      lines: true,
      runId: 'r',
      threads: '4',
      concurrency: '8',
      timeout: '2s',
      retries: '2',
      memory: '128MB',
      maxCrashes: '5',
      durable: false,
      recycleAfterTasks: '1000',
      wait: '10s',
    });
    expect(executor).toEqual(
      resolveOptions(
        {
          runId: 'r',
          handlers: './jobs/x.mjs',
          threads: 4,
          concurrency: 8,
          timeout: 2_000,
          retries: 2,
          memory: '128MB',
          maxCrashes: 5,
          durable: false,
          recycleAfterTasks: 1_000,
          steerable: true,
        },
        around,
      ),
    );
    expect(rest).toEqual({
      source: { kind: 'lines', endedByNull: false },
      bigIntegers: false,
      handler: undefined,
      results: undefined,
      fresh: false,
      retryFailed: false,
      keepQueued: false,
      supervise: true,
      failOnLeak: false,
      halt: undefined,
      json: false,
      quiet: false,
      color: true,
      waitMs: 10_000,
      http: undefined,
      typed: false,
      plain: false,
    });
  });

  test('take a backoff as one text: the first wait, and the longest', () => {
    const backoff = (text: string) => flags({ lines: true, backoff: text }).executor.backoff;
    expect(backoff('2s')).toEqual({ baseMs: 2_000, maxMs: 60_000 });
    expect(backoff('500ms,10m')).toEqual({ baseMs: 500, maxMs: 600_000 });
    expect(faultsOf(() => backoff('2m'))).toEqual({ '--backoff': 'base (2m) is longer than max (1m)' });
    expect(faultsOf(() => backoff('1s,2'))).toEqual({
      '--backoff': '"2" has no unit: write 500ms, 2s, 5m, 1h or 1d',
    });
    expect(faultsOf(() => backoff('1s,2s,3s'))['--backoff']).toContain('"2s,3s" is not a duration');
  });

  test('take when to halt as GNU parallel does', () => {
    const halt = (text: string) => flags({ lines: true, halt: text }).halt;
    expect(halt('now,fail=1')).toEqual({ when: 'now', limit: { kind: 'tasks', tasks: 1 } });
    expect(halt('soon,fail=10%')).toEqual({ when: 'soon', limit: { kind: 'share', percent: 10 } });
    for (const text of ['', 'now', 'now,fail=0', 'later,fail=1', 'soon,fail=101%', 'soon,fail=x', 'soon,success=1'])
      expect(faultsOf(() => halt(text))['--halt']).toMatch(/^must be soon or now, and how many may fail/);
  });

  test('choose one source', () => {
    expect(flags({ each: 'src/*' }).source).toEqual({ kind: 'each', glob: 'src/*', exclude: [], follow: false });
    expect(flags({ tasks: '-', lines: false }).source).toEqual({ kind: 'tasks', file: '-' });
  });

  test('name the run after the module', () => {
    const runOf = (module: string) => resolveRunFlags(module, { lines: true }, [], around).executor.runId;
    expect(runOf('./jobs/re size.test.mjs')).toBe('re-size.test');
    expect(runOf('/x/_index.ts')).toBe('index');
    expect(runOf(`${'x'.repeat(200)}.mjs`)).toBe('x'.repeat(128));
    expect(faultsOf(() => runOf('./ü.mjs'))).toEqual({ '--run-id': 'the name of the module makes none: choose one' });
  });

  test('are refused together, by the names they are typed with', () => {
    const faults = faultsOf(() =>
      resolveRunFlags('', { runId: 'a', maxCrashes: '3x', timeout: '30', threads: '-1', results: '-', json: true }),
    );
    expect(faults).toEqual({
      '<module>': 'must be a path',
      '--max-crashes': 'must be a whole number from 1 to 1000, got "3x"',
      '--timeout': '"30" has no unit: write 500ms, 2s, 5m, 1h or 1d',
      '--threads': 'must be a whole number from 1 to 1024, got -1',
      'no tasks': 'give one of --each <glob>, --tasks <file|->, --lines',
      '--results - and --json': 'both would write to standard output',
    });
  });

  test('want a module, and tell what else is wrong with it missing', () => {
    expect(faultsOf(() => resolveRunFlags(undefined, { lines: true, retries: 'x' }))).toEqual({
      '<module>': 'is missing: the file that exports the handlers',
      '--retries': 'must be a whole number from 0 to 1000, got "x"',
    });
  });

  test('refuse two sources, naming them', () => {
    expect(faultsOf(() => flags({ each: 'x', lines: true, tasks: 'y' }))).toEqual({
      '--each and --tasks and --lines': 'a run has one source of tasks',
    });
  });

  test('say where help is, with the code of what is wrong', () => {
    expect(() => flags({ lines: true, runId: '/' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_RUN_ID', hint: expect.stringContaining('--help') as string }),
    );
  });

  test('and then they are no fault of the run id', () => {
    const code = (given: object) => {
      try {
        return resolveRunFlags('m.mjs', { ...given }, [], around);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({})).toBe('ERR_INVALID_OPTIONS');
    expect(code({ runId: '../a' })).toBe('ERR_INVALID_OPTIONS');
    expect(code({ runId: '../a', lines: true })).toBe('ERR_INVALID_RUN_ID');
  });
});

describe('what was meant', () => {
  test('is the closest known word, whatever the case, one swap or a third of the letters away', () => {
    const known = ['timeout', 'retries', 'threads', 'memory'];
    expect(closest('tiemout', known)).toBe('timeout');
    expect(closest('RETRYS', known)).toBe('retries');
    expect(closest('thread', known)).toBe('threads');
    expect(closest('banana', known)).toBeUndefined();
    expect(closest('x', ['y'])).toBeUndefined();
    expect(closest('handlr', ['hand', 'handler'])).toBe('handler');
  });

  test('is quoted short and on one line, whatever it is', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect([NaN, undefined, 3n, () => 0, circle, Symbol('s'), 'a\nb'].map(quoted)).toEqual([
      'NaN',
      'undefined',
      '3',
      'a function',
      'an object',
      'Symbol(s)',
      '"a\\nb"',
    ]);
    expect(quoted('x'.repeat(100))).toHaveLength(60);
  });
});
