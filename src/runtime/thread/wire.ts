/**
 * Batches and reports as they travel. An object would be written with each of
 * its keys as a text, and read key by key: for one task, twice the work. So
 * they travel as lists, in which a column whose items are all alike is one of
 * them, numbers that follow each other are the first, and numbers with
 * fractions are a typed array: in a plain one, each of them becomes an object
 * where it is read.
 */
import { isArray, OwnFloat64Array } from './own.js';
import type { AttemptEnd, BatchReport, BatchRequest, ThreadMessage, ThreadRequest } from './protocol.js';

type Ids = BatchRequest['ids'];
type Payload = BatchReport['payloads'][number];
type SentBatch = [
  lane: number,
  fencingToken: number,
  count: number,
  ids: number | Ids,
  handlers: BatchRequest['handlers'],
  inputs: BatchRequest['inputs'],
  attempts: BatchRequest['attempts'],
];
type SentReport = [
  lane: number,
  first: number,
  last: boolean,
  count: number,
  ends: AttemptEnd | AttemptEnd[],
  payloads: Payload | Payload[],
  startedAt: number | Float64Array,
  durationMs: number | Float64Array,
];

export type SentRequest = SentBatch | Exclude<ThreadRequest, { type: 'batch' }>;
export type SentMessage = SentReport | Exclude<ThreadMessage, { type: 'report' }>;

/** Main thread. */
export function sentRequest(request: ThreadRequest): SentRequest {
  if (request.type !== 'batch') return request;
  const { lane, fencingToken, ids, handlers, inputs, attempts } = request;
  return [lane, fencingToken, ids.length, firstOrAll(ids), handlers, inputs, attempts];
}

/** Thread. */
export function receivedRequest(sent: SentRequest): ThreadRequest {
  if (!isArray(sent)) return sent;
  return {
    type: 'batch',
    lane: sent[0],
    fencingToken: sent[1],
    ids: allFrom(sent[3], sent[2]),
    handlers: sent[4],
    inputs: sent[5],
    attempts: sent[6],
  };
}

/** Thread. */
export function sentMessage(message: ThreadMessage): SentMessage {
  if (message.type !== 'report') return message;
  const { lane, first, last, ends, payloads, startedAt, durationMs } = message;
  const { length } = ends;
  return [lane, first, last, length, oneOrAll(ends), oneOrAll(payloads), packed(startedAt), packed(durationMs)];
}

/** Main thread. */
export function receivedMessage(sent: SentMessage): ThreadMessage {
  if (!isArray(sent)) return sent;
  const [lane, first, last, count, ends, payloads, startedAt, durationMs] = sent;
  return {
    type: 'report',
    lane,
    first,
    last,
    ends: all(ends, count),
    payloads: all(payloads, count),
    startedAt: unpacked(startedAt),
    durationMs: unpacked(durationMs),
  };
}

function firstOrAll(ids: Ids): number | Ids {
  const first = ids[0]!;
  if (typeof first !== 'number') return ids;
  for (let i = 1; i < ids.length; i++) if (ids[i] !== first + i) return ids;
  return first;
}

function allFrom(ids: number | Ids, count: number): Ids {
  if (typeof ids !== 'number') return ids;
  const all: Ids = [];
  for (let i = 0; i < count; i++) all[i] = ids + i;
  return all;
}

function oneOrAll<T>(items: T[]): T | T[] {
  const first = items[0]!;
  for (let i = 1; i < items.length; i++) if (items[i] !== first) return items;
  return first;
}

function all<T>(items: T | T[], count: number): T[] {
  return isArray(items) ? items : new Array<T>(count).fill(items);
}

function packed(numbers: BatchReport['startedAt']): number | Float64Array {
  const { length } = numbers;
  if (length === 1) return numbers[0]!;
  const array = new OwnFloat64Array(length);
  for (let i = 0; i < length; i++) array[i] = numbers[i]!;
  return array;
}

function unpacked(numbers: number | Float64Array): Float64Array {
  return typeof numbers === 'number' ? Float64Array.of(numbers) : numbers;
}
