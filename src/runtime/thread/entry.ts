/**
 * What runs inside a pool thread. Piscina loads this file and calls its
 * default export with each request.
 */
import { StringDecoder } from 'node:string_decoder';
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { followClock, ThreadBoard } from './board.js';
import { post } from './context.js';
import { toErrorRecord } from './error-record.js';
import { loadHandlers } from './handler-module.js';
import { Lane } from './lane.js';
import { versionOf } from './version.js';
import { RUNNING_TASKS } from '../../debug/running-tasks.js';
import type { BatchReport, BatchRequest, LoadReply, LoadRequest, PingRequest, ThreadData } from './protocol.js';

/** How often a thread with work shows that its event loop turns; also how soon an abort arrives. In ms. */
const BEAT_INTERVAL_MS = 25;

// First of all: what the module of handlers makes while it loads shall have its place, too.
if (process.env['ASYNC_DEBUG']?.toLowerCase() === 'hooks') {
  (await import('../../debug/hooks/hooks.js')).startHooks();
}

const data = workerData as ThreadData;
followClock(data.clock);
const board = new ThreadBoard(data.board);
let lanes: Lane[] = [];

// Asked by whoever looks into this thread, also while a task spins in it.
Object.defineProperty(globalThis, RUNNING_TASKS, { value: () => lanes.flatMap((lane) => lane.running ?? []) });

if (data.captureOutput) {
  for (const stream of ['stdout', 'stderr'] as const) captureOutput(stream);
}

setInterval(() => {
  board.beat();
  for (const lane of lanes) lane.turn();
}, BEAT_INTERVAL_MS).unref();

export default function serve(
  request: LoadRequest | PingRequest | BatchRequest,
): Promise<LoadReply | BatchReport | undefined> {
  switch (request.type) {
    case 'load':
      return load();
    case 'ping':
      return Promise.resolve(undefined);
    case 'batch':
      return runBatch(request);
  }
}

async function load(): Promise<LoadReply> {
  try {
    const before = versionOf(data.module);
    const handlers = await loadHandlers(data.module);
    // Node does not tell which text it has read.
    const version = versionOf(data.module) === before ? before : undefined;
    lanes = Array.from({ length: board.lanes }, (_, number) => new Lane(number, board, handlers));
    board.beat();
    return { handlers: [...handlers.keys()], ...(version !== undefined && { version }) };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}

async function runBatch(request: BatchRequest): Promise<BatchReport> {
  board.beat();
  const report = await lanes[request.lane]!.run(request);
  report.heapUsed = getHeapStatistics().used_heap_size;
  return report;
}

/** The main thread's stdout is for data only, and its terminal may show a progress bar. */
function captureOutput(stream: 'stdout' | 'stderr'): void {
  type Write = (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
  // A character may come in two pieces.
  const decoder = new StringDecoder();
  const write: Write = (chunk, encoding, callback) => {
    const isText = typeof chunk === 'string' && typeof encoding !== 'string';
    const text = isText ? chunk : decoder.write(Buffer.from(chunk as string, encoding as BufferEncoding));
    if (text !== '') post({ type: 'output', stream, text });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  process[stream].write = write;
}
