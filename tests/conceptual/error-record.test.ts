import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toErrorRecord } from '../../dist/runtime/thread/error-record.js';
import { evil } from '../fixtures/evil.mjs';

test('of an error its name, message, code and stack are kept, and where it came from', () => {
  const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
  expect(toErrorRecord(error)).toEqual({ name: 'RangeError', message: 'too far', code: 'E_FAR', stack: error.stack });
  const cause = new Error('the root of it');
  const { stack } = toErrorRecord(new Error('above', { cause }));
  expect(stack).toContain('Error: above');
  expect(stack).toContain('[cause]: Error: the root of it');
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
    message: "a value that is no Error was thrown: { reason: 'an object' }",
  });
  expect(toErrorRecord(undefined).message).toBe('a value that is no Error was thrown: undefined');
});

/** A record holds texts only, and none without end. */
function expectPlain(record: object): void {
  expect(Object.keys(record)).toEqual(expect.arrayContaining(['name', 'message']));
  for (const text of Object.values(record)) {
    expect(typeof text).toBe('string');
    expect((text as string).length).toBeLessThan(17_000);
  }
  expect(structuredClone(record)).toEqual(record);
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
