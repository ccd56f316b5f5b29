import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode } from '../../../../dist/runtime/task/codec.js';
import { runs } from '../../../support/runs.js';

const there = (value: unknown) => decode(encode(value, 'the input'));

/** What JSON holds unchanged. */
const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !hasNegativeZero(value));

/** What only the structured clone can carry, mixed with what JSON can. */
const cloneable = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withObjectString: true,
  withUnicodeString: true,
  maxDepth: 4,
});

test('any value that can be cloned arrives as a structured clone of itself', () => {
  fc.assert(
    fc.property(cloneable, (value) => {
      // `toEqual` takes a property that is undefined for one that is not there, as is promised.
      expect(there(value)).toEqual(structuredClone(value));
    }),
    { numRuns: runs(1000) },
  );
});

test('what JSON holds unchanged is kept as JSON text, and arrives equal to the last bit', () => {
  fc.assert(
    fc.property(json, (value) => {
      const encoded = encode(value, 'the input');
      expect(encoded).toBe(JSON.stringify(value));
      expect(decode(encoded)).toStrictEqual(value);
    }),
    { numRuns: runs(500) },
  );
});

test('equal values are encoded alike, however they were made, so that an id can be submitted again', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(encode(JSON.parse(JSON.stringify(value)), 'the input')).toEqual(encode(value, 'the input'));
    }),
  );
});

test.each([
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['infinity', [-Infinity, Infinity]],
  ['minus zero', { zero: -0 }],
  ['bigints', { id: 2n ** 80n }],
  ['dates', { at: new Date(86_400_000) }],
  ['maps with maps as keys', new Map([[new Map(), new Set([1])]])],
  ['regular expressions', /a(?<b>.)/giu],
  ['buffers', Buffer.from([0, 255])],
  ['typed arrays', new Float64Array([0.1, Number.NaN])],
  ['array buffers', new Uint8Array([1, 2]).buffer],
  ['errors', new RangeError('of range')],
  ['boxed values', [Object(true), Object('text'), Object(1)]],
  ['holes', [1, , 3]], // eslint-disable-line no-sparse-arrays
  ['undefined in arrays', [undefined]],
  ['lone surrogates', ['\ud800', { '\udfff': 1 }]],
  ['what breaks lines', ['\u2028\u2029\0\b']],
  ['an own __proto__', JSON.parse('{"__proto__": {"polluted": true}}')],
  ['objects without a prototype', Object.assign(Object.create(null), { a: 1 })],
])('%s arrive', (_, value) => {
  const got = there(value);
  expect(got).toEqual(Buffer.isBuffer(value) ? value : structuredClone(value));
  expect(Object.is(got, -0)).toBe(Object.is(value, -0));
});

test('minus zero keeps its sign', () => {
  expect(Object.is(there(-0), -0)).toBe(true);
  expect(Object.is((there({ zero: [-0] }) as { zero: number[] }).zero[0], -0)).toBe(true);
});

test('holes stay holes, and an array keeps what it has beside its elements', () => {
  expect(1 in (there([1, , 3]) as unknown[])).toBe(false); // eslint-disable-line no-sparse-arrays
  expect(there('a1'.match(/\d/))).toMatchObject({ 0: '1', index: 1, input: 'a1' });
});

test('a property that is undefined is left out of text', () => {
  expect(encode({ a: undefined, b: 1 }, 'the input')).toBe('{"b":1}');
});

test('cycles arrive, also deep ones', () => {
  const cycle: Record<string, unknown> = { name: 'round' };
  cycle['self'] = { again: cycle };
  const got = there(cycle) as { self: { again: unknown } };
  expect(got.self.again).toBe(got);
});

test('instances arrive as plain objects, whatever their class would have made of them', () => {
  class Point {
    x = 1;
    toJSON() {
      return 'a point';
    }
  }
  expect(there({ at: new Point() })).toEqual({ at: { x: 1 } });
});

test('values nested a hundred deep are text, deeper ones arrive all the same', () => {
  const nested = (depth: number) => {
    let value: unknown = 'leaf';
    for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
    return value;
  };
  expect(typeof encode(nested(100), 'the input')).toBe('string');
  expect(typeof encode(nested(101), 'the input')).toBe('object');
  expect(there(nested(1000))).toEqual(nested(1000));
});

test('what is referred to from many places takes no longer than it is large', () => {
  let array: unknown = ['leaf'];
  let object: unknown = { leaf: true };
  for (let i = 0; i < 60; i++) {
    array = [array, array];
    object = { left: object, right: object };
  }
  // Written once for each way that leads to it, the leaf would fill 10^18 lines.
  for (const value of [array, object]) expect(encode(value, 'the input').length).toBeLessThan(2000);
});

test.each([
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a function in a map', new Map([['f', () => 1]])],
  ['a toJSON of its own', { toJSON: () => 'not what is in it' }],
  ['a promise', { later: Promise.resolve() }],
  ['a weak map', new WeakMap()],
  ['shared memory', new SharedArrayBuffer(1)],
  ['what is nested beyond the stack', Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1)],
])('%s cannot travel, and the error says what and why', (_, value) => {
  expect(() => encode(value, 'the result')).toThrow(
    expect.objectContaining({
      code: 'ERR_VALUE_NOT_CLONEABLE',
      message: expect.stringMatching(/^the result cannot travel between threads: .+/),
      hint: expect.stringContaining('plain data'),
      cause: expect.any(Error),
    }),
  );
});

function hasNegativeZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero);
}
