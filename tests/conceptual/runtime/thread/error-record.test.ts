import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskErrorRecord } from '../../../../dist/index.js';
import { toErrorRecord } from '../../../../dist/runtime/thread/error-record.js';
import { evil } from '../../../fixtures/evil.mjs';

test('of an error its name, message, code and stack are kept, and where it came from', () => {
  const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
  expect(toErrorRecord(error)).toEqual({ name: 'RangeError', message: 'too far', code: 'E_FAR', stack: error.stack });
  const cause = new Error('the root of it');
  const above = new Error('above', { cause });
  expect(toErrorRecord(above)).toEqual({
    name: 'Error',
    message: 'above',
    stack: above.stack,
    cause: { name: 'Error', message: 'the root of it', stack: cause.stack },
  });
  expect(toErrorRecord(new Error('above', { cause: { is: 'no error' } })).stack).toContain(
    "[cause]: { is: 'no error' }",
  );
});

test('the class of the language is kept where the name does not tell it', () => {
  class Mine extends RangeError {
    override name = 'Mine';
  }
  expect(toErrorRecord(new Mine('x'))).toMatchObject({ name: 'Mine', class: 'RangeError' });
  expect(toErrorRecord(new DOMException('x', 'AbortError'))).toMatchObject({
    name: 'AbortError',
    class: 'DOMException',
  });
  expect(toErrorRecord(new DOMException('x', 'AbortError'))).not.toHaveProperty('code');
  expect(toErrorRecord(Object.assign(new Error('x'), { name: 'TypeError' }))).toHaveProperty('class', 'Error');
  expect(toErrorRecord(new TypeError('x'))).not.toHaveProperty('class');
});

test('of an AggregateError its first errors are kept, whatever they are', () => {
  const { errors } = toErrorRecord(new AggregateError([new TypeError('a'), 'b', ...Array(20).keys()], 'many'));
  expect(errors).toHaveLength(10);
  expect(errors!.slice(0, 2)).toMatchObject([
    { name: 'TypeError', message: 'a' },
    { name: 'NonError', message: "'b'" },
  ]);
});

test('of its own fields those are kept that are plain', () => {
  const error = Object.assign(new Error('x'), { errno: -2, path: '/a', fatal: true, response: {}, nothing: null });
  expect(toErrorRecord(error).fields).toEqual({ errno: -2, path: '/a', fatal: true });
});

test('causes of causes are kept, and not without end', () => {
  const circle = new Error('again');
  circle.cause = circle;
  let depth = 0;
  for (let record = toErrorRecord(circle).cause; record !== undefined; record = record.cause) depth++;
  expect(depth).toBe(4);
});

test('a numeric code is kept as text, any other kind of code is left out', () => {
  expect(toErrorRecord(Object.assign(new Error('x'), { code: 17 }))).toHaveProperty('code', '17');
  expect(toErrorRecord(Object.assign(new Error('x'), { code: {} }))).not.toHaveProperty('code');
});

test('an error without a stack has none in its record', () => {
  const error = new Error('bare');
  delete error.stack;
  expect(toErrorRecord(error)).toEqual({ name: 'Error', message: 'bare' });
});

test('an error of another realm is an error', () => {
  const error: unknown = runInContext('new TypeError("from elsewhere")', createContext());
  expect(error instanceof Error).toBe(false);
  expect(toErrorRecord(error)).toMatchObject({ name: 'TypeError', message: 'from elsewhere' });
});

test('what is no error is told as what it is', () => {
  expect(toErrorRecord({ reason: 'an object' })).toEqual({
    name: 'NonError',
    message: "a value that is not an Error was thrown: { reason: 'an object' }",
  });
  expect(toErrorRecord(undefined).message).toBe('a value that is not an Error was thrown: undefined');
});

/** A record holds plain data only, no text without end, and is the same once it was stored. */
function expectPlain(record: TaskErrorRecord): void {
  expect(Object.keys(record)).toEqual(expect.arrayContaining(['name', 'message']));
  const { fields = {}, cause, errors = [], ...texts } = record;
  for (const text of Object.values(texts)) {
    expect(typeof text).toBe('string');
    expect(text.length).toBeLessThan(17_000);
  }
  for (const field of Object.values(fields)) expect(['string', 'number', 'boolean']).toContain(typeof field);
  if (cause !== undefined) expectPlain(cause);
  errors.forEach(expectPlain);
  expect(structuredClone(record)).toEqual(record);
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
}

test.each(Object.entries(evil))('a record can be made of: %s', (_, make) => {
  expectPlain(toErrorRecord(make()));
});

test('a record can be made of anything, and of an error with anything in its fields', () => {
  const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true, withTypedArray: true });
  fc.assert(fc.property(anything, (value) => expectPlain(toErrorRecord(value))));
  const fields = fc.record({ name: anything, message: anything, code: anything, stack: anything, cause: anything });
  fc.assert(fc.property(fields, (values) => expectPlain(toErrorRecord(Object.assign(new Error(), values)))));
});

test('what is cut off a long text is told', () => {
  expect(toErrorRecord(new Error('x'.repeat(20_000))).message).toMatch(/^x{16384}… \(3616 more characters\)$/);
});
