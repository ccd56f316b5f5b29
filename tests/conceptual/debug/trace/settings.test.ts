import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { traceSettings } from '../../../../dist/debug/trace/settings.js';
import { InvalidInputError } from '../../../../dist/base/errors.js';

const DEFAULTS = { intervalMs: 10_000, maxPauseMs: 2_000, startMaxPauseMs: 5_000, json: false, hooks: false };

/** A word in some mixture of upper and lower case. */
const inAnyCase = (...words: string[]) =>
  fc
    .tuple(fc.constantFrom(...words), fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }))
    .map(([word, upper]) =>
      word.replace(/./g, (letter, index: number) => (upper[index] ? letter.toUpperCase() : letter)),
    );

function faultsOf(env: Record<string, string>): { where: string; problem: string }[] {
  try {
    traceSettings(env);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    const { code, faults } = error as InvalidInputError;
    expect(code).toBe('ERR_INVALID_OPTIONS');
    return [...faults];
  }
  return [];
}

describe('ASYNC_DEBUG', () => {
  test('is on with 1, true, yes and on, in any case', () => {
    fc.assert(
      fc.property(inAnyCase('1', 'true', 'yes', 'on'), (value) => {
        expect(traceSettings({ ASYNC_DEBUG: value })).toEqual(DEFAULTS);
      }),
    );
  });

  test('is off with 0, false, no and off, in any case, whatever stands for unset', () => {
    fc.assert(
      fc.property(inAnyCase('0', 'false', 'no', 'off'), fc.constantFrom('on', 'off'), (value, unset) => {
        expect(traceSettings({ ASYNC_DEBUG: value }, unset)).toBeUndefined();
      }),
    );
  });

  test.each([[{}], [{ ASYNC_DEBUG: '' }]])('unset, or empty, is as whoever asks wants it: %j', (env) => {
    expect(traceSettings(env)).toBeUndefined();
    expect(traceSettings(env, 'on')).toEqual(DEFAULTS);
  });

  test('hooks is on, with hooks', () => {
    expect(traceSettings({ ASYNC_DEBUG: 'Hooks' })).toEqual({ ...DEFAULTS, hooks: true });
  });

  test('where it is off, nothing else is looked at', () => {
    expect(traceSettings({ ASYNC_DEBUG: '0', ASYNC_DEBUG_INTERVAL: 'often' })).toBeUndefined();
  });

  test('any other word is a fault that names the variable and what was meant; it is never taken for on or off', () => {
    expect(faultsOf({ ASYNC_DEBUG: 'ture' })).toEqual([
      {
        where: 'ASYNC_DEBUG',
        problem: 'must be 1, true, yes or on, hooks, or 0, false, no or off, got "ture"; did you mean "true"?',
      },
    ]);
    const known = new Set(['', '1', 'true', 'yes', 'on', 'hooks', '0', 'false', 'no', 'off']);
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!known.has(value.toLowerCase()));
        expect(faultsOf({ ASYNC_DEBUG: value }).map(({ where }) => where)).toEqual(['ASYNC_DEBUG']);
      }),
    );
  });
});

describe('its other variables', () => {
  test('are read', () => {
    const env = { ASYNC_DEBUG_INTERVAL: '1.5s', ASYNC_DEBUG_MAX_PAUSE: '1m', ASYNC_DEBUG_FORMAT: 'JSON' };
    expect(traceSettings({ ASYNC_DEBUG: '1', ...env })).toEqual({
      intervalMs: 1_500,
      maxPauseMs: 60_000,
      startMaxPauseMs: 60_000,
      json: true,
      hooks: false,
    });
  });

  test('empty, they are as good as unset', () => {
    const env = { ASYNC_DEBUG_INTERVAL: '', ASYNC_DEBUG_MAX_PAUSE: '', ASYNC_DEBUG_FORMAT: '' };
    expect(traceSettings({ ASYNC_DEBUG: '1', ...env })).toEqual(DEFAULTS);
  });

  test.each([
    ['ASYNC_DEBUG_INTERVAL', '10', '"10" has no unit: write 500ms, 2s, 5m, 1h or 1d'],
    ['ASYNC_DEBUG_INTERVAL', '99ms', 'must be 100ms to 24d 20h, got "99ms"'],
    ['ASYNC_DEBUG_INTERVAL', '-1s', '"-1s" is not a duration: write 500ms, 2s, 5m, 1h or 1d'],
    ['ASYNC_DEBUG_MAX_PAUSE', '0ms', 'must be 1ms to 24d 20h, got "0ms"'],
    ['ASYNC_DEBUG_MAX_PAUSE', '25d', 'must be 1ms to 24d 20h, got "25d"'],
    ['ASYNC_DEBUG_FORMAT', 'jsno', 'must be text or json, got "jsno"; did you mean "json"?'],
  ])('%s=%s is a fault', (where, value, problem) => {
    expect(faultsOf({ ASYNC_DEBUG: '1', [where]: value })).toEqual([{ where, problem }]);
  });

  test('all that is wrong is told together', () => {
    const env = { ASYNC_DEBUG: 'x', ASYNC_DEBUG_INTERVAL: 'x', ASYNC_DEBUG_MAX_PAUSE: 'x', ASYNC_DEBUG_FORMAT: 'x' };
    expect(faultsOf(env).map(({ where }) => where)).toEqual(Object.keys(env));
  });
});
