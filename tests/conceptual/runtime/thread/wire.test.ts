import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatchReport, BatchRequest } from '../../../../dist/runtime/thread/protocol.js';
import { receivedMessage, receivedRequest, sentMessage, sentRequest } from '../../../../dist/runtime/thread/wire.js';
import { runs } from '../../../support/runs.js';

const bytes = fc.uint8Array({ maxLength: 3 });
const text = fc.string({ maxLength: 3 });
const number = fc.nat(9);

/** Columns in step, of as many items each: items are often alike, numbers often follow each other. */
function columns<Columns extends Record<string, unknown>>(of: {
  [Name in keyof Columns]: fc.Arbitrary<Columns[Name]>;
}) {
  const names = Object.keys(of);
  return fc
    .array(fc.tuple(...names.map((name) => of[name]!)), { minLength: 1, maxLength: 6 })
    .map((rows) => Object.fromEntries(names.map((name, column) => [name, rows.map((row) => row[column])])))
    .map((made) => made as { [Name in keyof Columns]: Columns[Name][] });
}

test('a batch arrives as it was sent', () => {
  const ids = fc.oneof(
    fc.array(fc.oneof(number, text), { minLength: 1, maxLength: 6 }),
    fc
      .tuple(number, fc.integer({ min: 1, max: 6 }))
      .map(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
  );
  const rest = fc.record({
    lane: number,
    fencingToken: number,
    handlers: fc.oneof(text, fc.array(text)),
    inputs: fc.oneof(text, fc.array(fc.oneof(text, bytes))),
    attempts: fc.oneof(number, fc.array(number)),
  });
  fc.assert(
    fc.property(ids, rest, (given, others) => {
      const request: BatchRequest = { type: 'batch', ids: given, ...others };
      expect(receivedRequest(structuredClone(sentRequest(request)))).toEqual(request);
    }),
    { numRuns: runs(300) },
  );
});

test('a report arrives as it was sent, whatever its tasks came to', () => {
  const error = fc.record({ name: text, message: text });
  const told = columns({
    ends: fc.constantFrom(0, 0, 0, 1, 2),
    payloads: fc.oneof(fc.constant(undefined), text, bytes, error),
    startedAt: fc.double({ noNaN: true }),
    durationMs: fc.double({ noNaN: true, min: 0 }),
  });
  fc.assert(
    fc.property(told, number, number, fc.boolean(), (report, lane, first, last) => {
      const message = { type: 'report', lane, first, last, ...report } as const;
      const { startedAt, durationMs, ...others } = receivedMessage(
        structuredClone(sentMessage(message)),
      ) as BatchReport;
      expect(others).toEqual({ type: 'report', lane, first, last, ends: report.ends, payloads: report.payloads });
      expect([[...startedAt], [...durationMs]]).toEqual([report.startedAt, report.durationMs]);
    }),
    { numRuns: runs(300) },
  );
});

test('a report of nothing, which tells that a batch is done with, stays one', () => {
  const empty = { type: 'report', lane: 1, first: 3, last: true, ends: [], payloads: [] } as const;
  const message = { ...empty, ends: [], payloads: [], startedAt: [], durationMs: [] };
  const { startedAt, durationMs, ...others } = receivedMessage(structuredClone(sentMessage(message))) as BatchReport;
  expect(others).toEqual(empty);
  expect([startedAt, durationMs]).toEqual([new Float64Array(), new Float64Array()]);
});

test('what is neither a batch nor a report travels as it is', () => {
  const ping = { type: 'ping' } as const;
  const pong = { type: 'pong' } as const;
  expect(receivedRequest(sentRequest(ping))).toBe(ping);
  expect(receivedMessage(sentMessage(pong))).toBe(pong);
});
