import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseSize,
} from '../../../dist/base/units.js';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['2s', 2_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['0.2ms', 1],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test('a number without a unit is refused with a sentence that shows how to write it', () => {
    expect(() => parseDuration('30')).toThrow('"30" has no unit: write 500ms, 2s, 5m, 1h or 1d');
  });

  test.each(['', 's', '-1s', '1 s', '2S', '2MB', '1e3s', '1.s', '.5s', '2s ', '1s2s', 'constructor', '5toString'])(
    '%j is refused with the code of a wrong option',
    (text) => {
      expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }));
    },
  );

  test.each([
    [0, '0ms'],
    [0.418, '0.42ms'],
    [12.34, '12.3ms'],
    [350, '350ms'],
    [999.6, '1s'],
    [1_500, '1.5s'],
    [59_949, '59.9s'],
    [59_950, '1m'],
    [123_000, '2m 3s'],
    [3_599_700, '1h'],
    [3_900_000, '1h 5m'],
    [90_000_000, '1d 1h'],
    [86_400_000, '1d'],
  ])('%d ms is shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what is shown is never off by more than a twentieth, or than the smaller of the units shown', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 2_147_483_647, noNaN: true }), (ms) => {
        const parts = formatDuration(ms).split(' ');
        const shown = parts.reduce((sum, part) => sum + parseDuration(part), 0);
        const smallest = parts.length === 2 ? parseDuration(`1${parts[1]!.replace(/\d/g, '')}`) : 0;
        // A single whole unit stands for itself and none of the next smaller one.
        const next = parts.length === 1 ? ({ d: 3_600_000, h: 60_000, m: 1_000 }[parts[0]!.slice(-1)] ?? 0) : 0;
        expect(Math.abs(shown - ms)).toBeLessThanOrEqual(Math.max(1, ms / 20, smallest, next));
      }),
    );
  });
});

describe('sizes', () => {
  test.each([
    ['1KB', 1_024],
    ['128MB', 134_217_728],
    ['1.5gb', 1_610_612_736],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['128', '128 MB', '1TB', '-1MB', 'MB', '1m'])('%j is refused', (text) => {
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }));
  });

  test.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5KB'],
    [1_048_575, '1MB'],
    [134_217_728, '128MB'],
    [2 * 1_024 ** 3, '2GB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test('what is shown is read as the same size, to a tenth of its unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_024, max: 1_024 ** 4 }), (bytes) => {
        expect(Math.abs(parseSize(formatSize(bytes)) - bytes) / bytes).toBeLessThan(0.051);
      }),
    );
  });
});

test('a count is the same number with commas', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  fc.assert(
    fc.property(fc.nat(), (count) => {
      expect(formatCount(count)).toBe(count.toLocaleString('en-US'));
    }),
  );
});

test('a rate keeps a tenth as long as it is small', () => {
  expect([0.24, 9.55, 12.4, 12_345].map(formatRate)).toEqual(['0.2/s', '9.6/s', '12/s', '12,345/s']);
});
