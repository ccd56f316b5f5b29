/** What `runtime smoke` is given: flags, the environment, a config file. All faults are told together. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { resolveSmokeFlags, type GivenToSmoke } from '../../../../dist/cli/smoke/smoke-flags.js';
import { InvalidInputError } from '../../../../dist/index.js';
import { readOption } from '../../../../dist/options/read-options.js';
import { attempt } from '../../../../dist/options/refusal.js';
import { SMOKE_OPTIONS } from '../../../../dist/options/smoke-options.js';
import { SMOKE_FUNCTIONS } from '../../../../dist/smoke/options.js';
import { tempDir } from '../../../support/temp-dir.js';

const resolve = (given: GivenToSmoke = {}, env: Record<string, string> = {}, extra: string[] = []) =>
  resolveSmokeFlags(given, extra, env);

function faultsOf(given: GivenToSmoke, env: Record<string, string> = {}, extra: string[] = []): string[] {
  try {
    resolve(given, env, extra);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).code).toBe('ERR_INVALID_OPTIONS');
    return (error as InvalidInputError).faults.map(({ where, problem }) => `${where}: ${problem}`);
  }
  return [];
}

test('without anything given there are eight seconds, all that the machine offers, and nothing else', () => {
  const { settings, json, junit, color } = resolve();
  expect(settings).toMatchObject({ timeoutMs: 8_000, threads: availableParallelism(), postConditions: [] });
  expect(settings.handler.module).toMatch(/\/dist\/dryrun\/handler\.js$/);
  expect([json, junit, color]).toEqual([false, undefined, true]);
});

describe('the timeout', () => {
  test('is that of the flag, else BOOT_TIMEOUT_S in seconds, else eight seconds', () => {
    const timeoutMs = (given: GivenToSmoke, env: Record<string, string>) => resolve(given, env).settings.timeoutMs;
    expect(timeoutMs({ timeout: '2s' }, { BOOT_TIMEOUT_S: '3' })).toBe(2_000);
    expect(timeoutMs({}, { BOOT_TIMEOUT_S: '3' })).toBe(3_000);
    expect(timeoutMs({}, { BOOT_TIMEOUT_S: '0.25' })).toBe(250);
    expect(timeoutMs({}, { BOOT_TIMEOUT_S: '' })).toBe(8_000);
    expect(timeoutMs({ timeout: 1500 }, {})).toBe(1_500);
  });

  test.each(['abc', '0', '-1', '8s', '0x10', 'NaN', 'Infinity', ' 8', '1e3', '0.0001', '99999999999'])(
    'BOOT_TIMEOUT_S=%s is refused, and no default put in its place',
    (value) => {
      expect(faultsOf({}, { BOOT_TIMEOUT_S: value })).toEqual([
        `BOOT_TIMEOUT_S: must be seconds, from 0.001 to 2147483, got ${JSON.stringify(value)}`,
      ]);
    },
  );

  test.each([
    ['banana', '--timeout: "banana" is not a duration'],
    ['5', '--timeout: "5" has no unit'],
    ['0s', '--timeout: must be 1ms to 24d 20h, got "0s"'],
    ['-1s', '--timeout: "-1s" is not a duration'],
    ['30d', '--timeout: must be 1ms to 24d 20h, got "30d"'],
    ['', '--timeout: "" is not a duration'],
  ])('--timeout %j is refused', (timeout, words) => {
    const [fault, ...others] = faultsOf({ timeout });
    expect(fault).toContain(words);
    expect(others).toEqual([]);
  });

  test('is any number of seconds that a timer takes, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_147_483 }), (seconds) => {
        expect(resolve({}, { BOOT_TIMEOUT_S: String(seconds) }).settings.timeoutMs).toBe(seconds * 1_000);
      }),
    );
    fc.assert(
      fc.property(
        fc.string().filter((text) => text !== '' && !/^\d+(\.\d+)?$/.test(text)),
        (text) => {
          expect(faultsOf({}, { BOOT_TIMEOUT_S: text })).toHaveLength(1);
        },
      ),
    );
  });
});

test.each(['0', '1025', '-1', '1.5', 'many', '', 'NaN'])('--threads %j is refused', (threads) => {
  expect(faultsOf({ threads })).toEqual([expect.stringContaining('--threads: must be a whole number from 1 to 1024')]);
});

test('--threads is 1 to 1024, from the command line or the config file', () => {
  expect(resolve({ threads: '3' }).settings.threads).toBe(3);
  expect(resolve({ threads: 1024 }).settings.threads).toBe(1024);
});

test('all faults are told at once: flags, the environment, what is no flag', () => {
  const given = { threads: 'x', junit: 'no/such/file.xml' };
  expect(faultsOf(given, { BOOT_TIMEOUT_S: 'abc' }, ['--thread', '3', 'more', '--quiet'])).toEqual([
    'BOOT_TIMEOUT_S: must be seconds, from 0.001 to 2147483, got "abc"',
    '--threads: must be a whole number from 1 to 1024, got "x"',
    '--junit: "no/such/file.xml" cannot be written: there is no such folder',
    '--thread: is not a flag of runtime smoke; did you mean "--threads"?',
    'more: is one argument too many: a smoke test takes none',
    '--quiet: is not a flag of runtime smoke',
  ]);
});

describe('the file for JUnit', () => {
  test('is an absolute path; it is not made before there is something to write', () => {
    const path = join(tempDir(), 'smoke.xml');
    expect(resolve({ junit: path }).junit).toBe(path);
    expect(existsSync(path)).toBe(false);
  });

  test('is no folder, and no empty name', () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'folder'));
    expect(faultsOf({ junit: dir })).toEqual([`--junit: ${JSON.stringify(dir)} cannot be written: it is a folder`]);
    expect(faultsOf({ junit: '' })).toEqual(['--junit: must be a file, got ""']);
  });
});

describe('a handler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'handlers.mjs');
  writeFileSync(file, '');
  const choose = (text: string, ...exported: string[]) => {
    const { module, choose } = resolve({ handler: text }).settings.handler;
    expect(module).toBe(pathToFileURL(file).href);
    return choose(new Set(exported));
  };

  test('is a file and one of its exports, or its default or only one', () => {
    expect(choose(`${file}#one`, 'one', 'default')).toBe('one');
    expect(choose(file, 'one', 'default')).toBe('default');
    expect(choose(file, 'one')).toBe('one');
  });

  test('that is not there is told with those that are', () => {
    expect(() => choose(`${file}#two`, 'one')).toThrow('exports no function "two"');
    expect(() => choose(file, 'one', 'two')).toThrow('which function of');
  });

  test('is a file that is there', () => {
    expect(faultsOf({ handler: '/no/such.mjs#one' })).toEqual([
      'smoke.handler: "/no/such.mjs#one" cannot be loaded: there is no such file',
    ]);
  });
});

describe('what a config file may say', () => {
  const condition = { name: 'a', expected: 'b', check: () => ({ ok: true, actual: 'c' }) };
  const rows = { ...SMOKE_OPTIONS, ...SMOKE_FUNCTIONS };
  const faults = (key: keyof typeof rows, value: unknown) => {
    const found = attempt(() => readOption(rows[key], value, 'code'));
    return 'faults' in found ? found.faults.map(({ where, problem }) => `${where}: ${problem}`) : [];
  };

  test('is taken as it is: functions, and conditions that are objects of a class', () => {
    class Own {
      name = 'own';
      expected = 'x';
      severity = 'warn';
      check() {
        return { ok: true, actual: this.name };
      }
    }
    const own = new Own();
    const source = () => [1];
    expect(readOption(rows.eventSource, source, 'file')).toBe(source);
    const [first, second] = readOption(rows.postConditions, [condition, own], 'file');
    expect(first).toBe(condition);
    expect(second).toBe(own);
    expect(readOption(rows.postConditions, undefined, 'file')).toEqual([]);
    expect(readOption(rows.timeout, '2s', 'file')).toBe(2_000);
    expect(readOption(rows.timeout, undefined, 'file')).toBe(8_000);
  });

  test.each<[keyof typeof SMOKE_OPTIONS | keyof typeof SMOKE_FUNCTIONS, unknown, string[]]>([
    ['eventSource', [1], [': must be a function (signal) => events, got [1]']],
    ['postConditions', { a: 1 }, [': must be a list of { name, expected, check }, got {"a":1}']],
    [
      'postConditions',
      [null, 'x'],
      ['0: must be { name, expected, check }, got null', '1: must be { name, expected, check }, got "x"'],
    ],
    [
      'postConditions',
      [condition, {}],
      [
        '1.name: must be a string, got undefined',
        '1.expected: must be a string, got undefined',
        '1.check: must be a function, got undefined',
      ],
    ],
    [
      'postConditions',
      [{ ...condition, severity: 'low', name: '' }],
      ['0.name: must be a string, got ""', '0.severity: must be "fail" or "warn", got "low"'],
    ],
    ['threads', 0, [': must be a whole number from 1 to 1024, got 0']],
    ['handler', '', [': must be a file of handlers, or file#export']],
    ['timeout', 'soon', [': "soon" is not a duration: write 500ms, 2s, 5m, 1h or 1d']],
  ])('%s: every fault of %j is told', (key, value, expected) => {
    expect(faults(key, value)).toEqual(expected);
  });
});
