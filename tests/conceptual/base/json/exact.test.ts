import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_JSON_LEVELS, tooDeepAt } from '../../../../dist/base/json/depth.js';
import { parseExactly } from '../../../../dist/base/json/exact.js';
import { isLost } from '../../../../dist/base/json/numbers.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('a number', () => {
  test('that some language prints of a double is kept', () => {
    fc.assert(
      fc.property(finite, (value) => {
        expect(isLost(JSON.stringify(value))).toBe(false);
        expect(isLost(value.toPrecision(17))).toBe(false);
        expect(isLost(value.toExponential(16))).toBe(false);
        if (Math.abs(value) < 1e21 && Math.abs(value) > 1e-3) expect(isLost(value.toFixed(20))).toBe(false);
      }),
    );
  });

  test('with up to fifteen digits is kept', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999_999_999), fc.integer({ min: -290, max: 290 }), (digits, exponent) => {
        expect(isLost(`${digits}e${exponent}`)).toBe(false);
      }),
    );
  });

  test('that is whole is kept if, and only if, it is written with the same digits again', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (whole) => {
        const again = Number(whole).toLocaleString('fullwide', { useGrouping: false, maximumSignificantDigits: 21 });
        const kept = BigInt(Number(whole)) === whole && BigInt(again) === whole;
        if (Number.isSafeInteger(Number(whole))) expect(isLost(String(whole))).toBe(false);
        else if (!kept) expect(isLost(String(whole))).toBe(true);
      }),
    );
  });

  test.each([
    ['9007199254740991', false],
    ['9007199254740992', false],
    ['9007199254740993', true],
    ['-9007199254740993', true],
    ['1852371234567890123', true],
    ['10000000000000000000000', false],
    // A double holds it, and writes it with other digits.
    ['1152921504606846976', true],
    ['1152921504606846976.0', false],
    ['0.1', false],
    ['1e23', false],
    ['0.10000000000000000555', false],
    ['0.1234567890123456789', true],
    ['1.0000000000000000000001', true],
    ['1e400', true],
    ['-1e400', true],
    ['1e-400', true],
    ['0e400', false],
    ['0.0e-400', false],
    ['5e-324', false],
    [`0.${'0'.repeat(200)}1`, false],
    [`0.1${'0'.repeat(200)}`, false],
    [`0.1${'1'.repeat(200)}`, true],
    [`1${'0'.repeat(308)}`, false],
    [`1${'0'.repeat(309)}`, true],
  ])('%.30s is lost: %s', (given, lost) => {
    expect(isLost(given)).toBe(lost);
  });
});

describe('JSON', () => {
  test('is parsed as JSON.parse does, if nothing in it is lost', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseExactly(text)).toEqual({ value: JSON.parse(text), faults: [], isPlain: expect.any(Boolean) });
      }),
    );
  });

  test('has a number that would be another one found wherever it is, by its field', () => {
    const marked = '9007199254740993';
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string(), (around, key) => {
        const text = JSON.stringify({ before: around, [key]: [around, 'HERE'], after: around });
        fc.pre(text.split('"HERE"').length === 2);
        const { faults } = parseExactly(text.replace('"HERE"', marked));
        expect(faults).toHaveLength(1);
        expect(faults[0]!.offset).toBe(text.indexOf('"HERE"'));
        if (/^\w{1,40}$/.test(key)) expect(faults[0]!.number!.path).toBe(`${key}[1]`);
      }),
    );
  });

  test('has digits in its texts and keys, which are no numbers', () => {
    const text = '{"12345678901234567890":"12345678901234567890","a\\\\":"\\"1e400, -0"}';
    expect(parseExactly(text)).toMatchObject({ value: JSON.parse(text) as unknown, faults: [] });
  });

  test('has its large whole numbers as BigInts where that is asked for, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.bigInt(2n ** 53n, 2n ** 200n),
        fc.boolean(),
        fc.jsonValue({ maxDepth: 3 }),
        (large, isNegative, around) => {
          const big = isNegative ? -large : large;
          const text = JSON.stringify({ around, here: ['HERE'], __proto: 1 });
          // A large double without a point is a whole number, too.
          fc.pre(text.split('"HERE"').length === 2 && !/\d{16}/.test(text));
          expect(parseExactly(text.replace('"HERE"', String(big)), true)).toEqual({
            value: { around: JSON.parse(JSON.stringify(around)) as unknown, here: [big], __proto: 1 },
            faults: [],
            isPlain: false,
          });
        },
      ),
    );
  });

  test('tells twenty numbers of a text, and how many more there are', () => {
    const { faults } = parseExactly(`[${Array.from({ length: 50 }, () => '1e400').join(',')}]`);
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)!.problem).toBe('30 more such numbers stand after this one');
  });
});

describe('nesting', () => {
  const nested = (levels: number) => '[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2);

  test('may have 64 levels, one after the other as often as one likes', () => {
    expect(parseExactly(nested(MAX_JSON_LEVELS)).faults).toEqual([]);
    expect(parseExactly(`[${Array.from({ length: 100 }, () => nested(62)).join(',')}]`).faults).toEqual([]);
  });

  test('that is deeper is told with its place, at any depth', () => {
    expect(tooDeepAt(nested(66))).toBe('[{"a":'.length * 32);
    expect(parseExactly('['.repeat(1_000_000)).faults).toEqual([
      { offset: 64, problem: 'level 65 of nesting begins here, and 64 are allowed' },
    ]);
  });

  test('is not that of brackets in a text', () => {
    const text = JSON.stringify([`${'['.repeat(100)}"\\`, '['.repeat(100), '\\'.repeat(7), '{'.repeat(100)]);
    expect(parseExactly(text).value).toEqual(JSON.parse(text));
  });
});
