/** What is wrong with the options of a dry run is told all together, each fault by its name; no default is put in its place. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveDryRunFlags } from '../../../dist/cli/dry-run/dry-run-flags.js';
import { DEFAULT_PLAN } from '../../../dist/dryrun/plan/plan.js';
import { generateEvents, InvalidInputError, type Fault, type GenerateOptions } from '../../../dist/index.js';
import { rejection } from '../../support/executors.js';
import { tempDir } from '../../support/temp-dir.js';

const RATE = 'must be events a second, from 0.001 to 1,000,000, got';
const BURST = 'must be one size or a range such as 3-10, from 1 to 10,000, got';

type Env = Record<string, string>;

const flagsOf = (given: Record<string, unknown>, env: Env = {}, cwd = tempDir(), extra: string[] = []) =>
  resolveDryRunFlags(given, extra, { cwd, env });

async function faultsOf(given: Record<string, unknown>, env?: Env, extra?: string[]): Promise<string[]> {
  const error = await rejection(flagsOf(given, env, tempDir(), extra));
  expect(error).toMatchObject({
    code: 'ERR_INVALID_OPTIONS',
    hint: expect.stringContaining('dry-run --help') as string,
  });
  return (error['faults'] as Fault[]).map(({ where, problem }) => `${where}: ${problem}`);
}

function faultsOfGenerate(options: object): string[] {
  try {
    generateEvents(options as GenerateOptions);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.faults.map(({ where, problem }) => `${where}: ${problem}`);
    throw error;
  }
  throw new Error('they were taken');
}

describe('the flags of `runtime dry-run`', () => {
  test('have defaults: ten seconds of one event a second, evenly, of seed 42, through the built-in handler', async () => {
    const cwd = tempDir();
    const { plan, executor, ...rest } = await flagsOf({}, {}, cwd);
    expect(plan).toEqual({ ...DEFAULT_PLAN, durationMs: 10_000 });
    expect(plan).toMatchObject({ pattern: 'sequential', rate: 1, seed: 42, burstSize: { min: 3, max: 10 } });
    expect(executor).toMatchObject({ runId: 'dry-run', dir: join(cwd, '.runtime'), durable: true });
    expect(existsSync(new URL(executor.handlers))).toBe(true);
    expect(rest).toEqual({ handler: undefined, emit: false, json: false, quiet: false, color: true, plain: false });
  });

  test('come as text, and are taken', async () => {
    const { plan, executor } = await flagsOf({
      pattern: 'burst',
      rate: '0.5',
      count: '1000000000',
      seed: '4294967295',
      burstSize: '4',
      account: 'A-17',
      wallClock: true,
      threads: '2',
      concurrency: '8',
      durable: false,
      runId: 'other',
      dir: '/nowhere',
    });
    expect(plan).toEqual({
      ...DEFAULT_PLAN,
      pattern: 'burst',
      rate: 0.5,
      count: 1_000_000_000,
      seed: 4_294_967_295,
      burstSize: { min: 4, max: 4 },
      account: 'A-17',
      wallClock: true,
    });
    expect(executor).toMatchObject({ threads: 2, concurrency: 8, durable: false, runId: 'other', dir: '/nowhere' });
    expect((await flagsOf({ duration: '5s', burstSize: '2-7' })).plan).toMatchObject({
      durationMs: 5_000,
      count: undefined,
      burstSize: { min: 2, max: 7 },
    });
  });

  test('stand above the environment, and the environment above defaults', async () => {
    const env = { DRY_RUN_PATTERN: 'random', DRY_RUN_RATE: '7', DRY_RUN_SEED: '8', DRY_RUN_ACCOUNT: 'E' };
    expect((await flagsOf({}, env)).plan).toMatchObject({ pattern: 'random', rate: 7, seed: 8, account: 'E' });
    const given = { pattern: 'burst', rate: '1', seed: '2', account: 'F' };
    expect((await flagsOf(given, env)).plan).toMatchObject({ pattern: 'burst', rate: 1, seed: 2, account: 'F' });
    const empty = { DRY_RUN_PATTERN: '', DRY_RUN_RATE: '', DRY_RUN_SEED: '', DRY_RUN_ACCOUNT: '' };
    expect((await flagsOf({}, empty)).plan).toEqual({ ...DEFAULT_PLAN, durationMs: 10_000 });
  });

  test.each([
    ['0', `--rate: ${RATE} 0`],
    ['-1', `--rate: ${RATE} -1`],
    ['-0.5', `--rate: ${RATE} -0.5`],
    ['0.0009', `--rate: ${RATE} 0.0009`],
    ['1000001', `--rate: ${RATE} 1000001`],
    ['NaN', `--rate: ${RATE} "NaN"`],
    ['Infinity', `--rate: ${RATE} "Infinity"`],
    ['1e3', `--rate: ${RATE} "1e3"`],
    ['fast', `--rate: ${RATE} "fast"`],
    ['', `--rate: ${RATE} ""`],
  ])('refuse the rate %j', async (rate, fault) => {
    expect(await faultsOf({ rate })).toEqual([fault]);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ pattern: 'brust' }, '--pattern: must be sequential, random or burst, got "brust"; did you mean "burst"?'],
    [{ pattern: 'x' }, '--pattern: must be sequential, random or burst, got "x"'],
    [{ count: '0' }, '--count: must be a whole number from 1 to 1000000000, got 0'],
    [{ count: '1.5' }, '--count: must be a whole number from 1 to 1000000000, got 1.5'],
    [{ count: '1000000001' }, '--count: must be a whole number from 1 to 1000000000, got 1000000001'],
    [{ seed: '-1' }, '--seed: must be a whole number from 0 to 4294967295, got -1'],
    [{ seed: '4294967296' }, '--seed: must be a whole number from 0 to 4294967295, got 4294967296'],
    [{ duration: '5' }, '--duration: "5" has no unit: write 500ms, 2s, 5m, 1h or 1d'],
    [{ duration: '0s' }, '--duration: must be 1ms to 24d 20h, got "0s"'],
    [{ burstSize: '10-3' }, `--burst-size: ${BURST} "10-3"`],
    [{ burstSize: '0' }, `--burst-size: ${BURST} "0"`],
    [{ burstSize: '3-10001' }, `--burst-size: ${BURST} "3-10001"`],
    [{ burstSize: '3 to 10' }, `--burst-size: ${BURST} "3 to 10"`],
    [{ account: '' }, '--account: must be the name of an account'],
    [{ threads: '0' }, '--threads: must be a whole number from 1 to 1024, got 0'],
    [{ events: '' }, '--events: must be the path of a module'],
    [{ events: './gone.mjs' }, '--events: cannot load "./gone.mjs": there is no such file'],
    [{ handler: '' }, '--handler: must be the path of a module'],
    [{ handler: './gone.mjs#f' }, '--handler: "./gone.mjs#f" cannot be loaded: there is no such file'],
    [{ count: '5', duration: '5s' }, '--count and --duration: a dry run ends by one of them'],
    [{ emit: true, json: true }, '--emit and --json: both would write to standard output'],
  ])('refuse %j', async (given, fault) => {
    expect(await faultsOf(given)).toEqual([fault]);
  });

  test('refuse a run id that leaves its folder', async () => {
    const error = await rejection(flagsOf({ runId: '../x' }));
    expect(error).toMatchObject({
      code: 'ERR_INVALID_RUN_ID',
      message: expect.stringContaining('--run-id: ') as string,
    });
  });

  test('and those of the environment have all their faults told together, by the names they came by', async () => {
    const given = { pattern: 'brust', duration: 'soon', events: './gone.mjs', handler: './gone.mjs' };
    const env = { DRY_RUN_PATTERN: 'never looked at', DRY_RUN_RATE: '0', DRY_RUN_SEED: 'abc', DRY_RUN_ACCOUNT: 'fine' };
    expect(await faultsOf(given, env, ['--tempo', '9', 'more', '--seeds=4'])).toEqual([
      '--pattern: must be sequential, random or burst, got "brust"; did you mean "burst"?',
      `DRY_RUN_RATE: ${RATE} 0`,
      '--duration: "soon" is not a duration: write 500ms, 2s, 5m, 1h or 1d',
      'DRY_RUN_SEED: must be a whole number from 0 to 4294967295, got "abc"',
      '--tempo: is not a flag of runtime dry-run',
      'more: is one argument too many: a dry run takes flags alone',
      '--seeds: is not a flag of runtime dry-run; did you mean "--seed"?',
      '--handler: "./gone.mjs" cannot be loaded: there is no such file',
      '--events: cannot load "./gone.mjs": there is no such file',
    ]);
  });

  test('name a handler by its file, and its export where there are several', async () => {
    const cwd = tempDir();
    for (const name of ['work.mjs', 'a#b.mjs']) writeFileSync(join(cwd, name), '');
    const handlerOf = async (handler: string) => {
      const { executor, handler: name } = await flagsOf({ handler }, {}, cwd);
      return [decodeURIComponent(executor.handlers.split('/').pop()!), name];
    };
    expect(await handlerOf('work.mjs')).toEqual(['work.mjs', undefined]);
    expect(await handlerOf('./work.mjs#order')).toEqual(['work.mjs', 'order']);
    expect(await handlerOf('work.mjs#größe_$1')).toEqual(['work.mjs', 'größe_$1']);
    // A file whose name looks like it is that file all the same.
    expect(await handlerOf('a#b.mjs')).toEqual(['a#b.mjs', undefined]);
  });
});

describe('generateEvents', () => {
  test.each([0, -1, NaN, Infinity, 1_000_001, '5', null])('refuses the rate %j at once', (rate) => {
    expect(faultsOfGenerate({ rate })).toEqual([
      `rate: ${RATE} ${typeof rate === 'string' ? `"${rate}"` : String(rate)}`,
    ]);
  });

  test('tells every fault at once', () => {
    expect(
      faultsOfGenerate({
        pattern: 7,
        count: 1,
        duration: '1s',
        burstSize: null,
        events: { a: {} },
        paced: 'no',
        signal: {},
        tempo: 1,
      }),
    ).toEqual([
      'pattern: must be sequential, random or burst, got 7',
      `burstSize: ${BURST} null`,
      'paced: must be true or false, got "no"',
      'signal: must be an AbortSignal, got {}',
      'tempo: is unknown',
      'count and duration: a dry run ends by one of them',
      'events: they: "a" has no function "make"',
      'events: they: "a" has no "schema" of zod or another that follows Standard Schema',
    ]);
  });

  test('refuses what is no object', () => {
    expect(faultsOfGenerate(7 as unknown as object)).toEqual([': must be an object, got 7']);
    expect(() => generateEvents(null as unknown as GenerateOptions)).toThrow(InvalidInputError);
  });

  test('knows nothing of the environment', async () => {
    process.env['DRY_RUN_PATTERN'] = 'no pattern';
    try {
      const types = [];
      for await (const { type } of generateEvents({ count: 2, paced: false })) types.push(type);
      expect(types).toEqual(['trade', 'order']);
    } finally {
      delete process.env['DRY_RUN_PATTERN'];
    }
  });

  test('takes every size of a burst, and every range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 9_999 }), (min, more) => {
        const max = Math.min(10_000, min + more);
        for (const burstSize of [min, String(min), `${min}-${max}`]) generateEvents({ burstSize });
      }),
    );
  });
});
