/** What runs inside a pool thread: answers what the main thread asks for. */
import { StringDecoder } from 'node:string_decoder';
import { parentPort } from 'node:worker_threads';
import { takeForGranted } from './builtins.js';
import { followClock, keepOwnClock, ThreadBoard } from './board.js';
import { toErrorRecord } from './error-record.js';
import { loadHandlers, type HandlerModule, type ThreadContext } from './handler-module.js';
import { Lane } from './lane.js';
import { listen, post, rest, threadData, work } from './link.js';
import { MemoryWatch } from './memory-watch.js';
import { atomicsWait, defineProperty, nextTick, OwnPromise } from './own.js';
import { configureChildren } from './task-children.js';
import { isTurnDue, noteTurn, turnOfTheLoop } from './turn.js';
import { RUNNING_TASKS, type RunningTask } from '../../debug/running-tasks.js';
import type { BatchRequest, Printers, ThreadRequest } from './protocol.js';

/** How often a thread with work shows that its event loop turns; also how soon an abort arrives. In ms. */
const BEAT_INTERVAL_MS = 25;

keepOwnClock();
followClock(threadData.clock);
configureChildren(threadData.children);
const board = new ThreadBoard(threadData.board);
const memory = new MemoryWatch(board, [threadData.memory, threadData.recycleAbove]);
let lanes: Lane[] = [];
/**
 * Set while the event loop turns, or while it is looked what this thread holds.
 * No batch begins meanwhile: each turn may bring more of them, and one after
 * the other they would keep both from ever coming to an end.
 */
let pause: Promise<void> | undefined;
let moduleTeardown: HandlerModule['teardown'];
const context: ThreadContext = Object.freeze({ thread: threadData.number });

// Asked by whoever looks into this thread, also while a task spins in it.
Object.defineProperty(globalThis, RUNNING_TASKS, { value: runningTasks });

// To know whether all is written makes streams of them.
const printing = threadData.captureOutput ? undefined : { stdout: process.stdout, stderr: process.stderr };
if (threadData.captureOutput) {
  for (const stream of ['stdout', 'stderr'] as const) captureOutput(stream);
}

setInterval(() => {
  board.beat();
  noteTurn();
  if (isAbove()) void lookAtMemory();
  for (let lane = 0; lane < lanes.length; lane++) lanes[lane]!.turn();
}, BEAT_INTERVAL_MS).unref();

// Nobody reads what is sent there. It is the handlers' own, so this is no more than a message: see `onStray`.
defineProperty(parentPort!, 'postMessage', { configurable: true, writable: true, value: tellPosted });

listen(serve);

function serve(request: ThreadRequest): void {
  switch (request.type) {
    case 'load':
      void load();
      break;
    case 'ping':
      answerPing();
      break;
    case 'batch':
      void runBatch(request);
      break;
    case 'teardown':
      void tearDown();
  }
}

/** What is ready to go on in this thread goes first, or the answer would only prove that a message is read. */
function answerPing(): void {
  work();
  nextTick(() => {
    post({ type: 'pong' });
    rest();
  });
}

async function load(): Promise<void> {
  work();
  try {
    // First of all: what the module of handlers makes while it loads shall have its place, too.
    if (process.env['ASYNC_DEBUG']?.toLowerCase() === 'hooks') {
      (await import('../../debug/hooks/hooks.js')).startHooks();
    }
    const { handlers, setup, teardown } = await loadHandlers(threadData.module);
    await setup?.(context);
    moduleTeardown = teardown;
    lanes = Array.from({ length: board.lanes }, (_, number) => new Lane(number, board, handlers));
    board.beat();
    takeForGranted();
    post({ type: 'loaded', handlers: [...handlers.keys()], hasTeardown: teardown !== undefined });
  } catch (error) {
    post({ type: 'not-loaded', error: toErrorRecord(error) });
  }
  rest();
}

async function runBatch(request: BatchRequest): Promise<void> {
  work();
  board.beat();
  while (pause !== undefined) await pause;
  // Messages may be read one right after the other: what tasks of other lanes left may be too much already.
  if (lanes.length > 1 && isAbove()) await lookAtMemory();
  const lane = lanes[request.lane]!;
  await lane.run(request, betweenTasks);
  if (printing !== undefined) await printed(printing);
  // By what it holds then it is told whether it is to be replaced.
  if (threadData.recycleAbove !== undefined) {
    if (pause === undefined && memory.isHigh) await (pause = collect());
    board.measure();
  }
  lane.conclude();
  if (isTurnDue(lane.endedAt)) await betweenTasks();
  else if (isAbove()) await lookAtMemory();
  rest();
}

/** Whether it may hold more than it is allowed to. */
function isAbove(): boolean {
  return threadData.memory !== undefined && memory.isHigh;
}

function betweenTasks(): Promise<void> {
  pause ??= turn();
  return pause;
}

function lookAtMemory(): Promise<void> {
  pause ??= look();
  return pause;
}

async function turn(): Promise<void> {
  await turnOfTheLoop();
  if (isAbove()) await endIfAbove();
  pause = undefined;
}

async function look(): Promise<void> {
  await endIfAbove();
  pause = undefined;
}

async function collect(): Promise<void> {
  await memory.lookClosely();
  pause = undefined;
}

/** A thread above its limit does nothing more: the main thread ends it. */
async function endIfAbove(): Promise<void> {
  if ((await memory.lookClosely()) <= threadData.memory!) return;
  post({ type: 'burst', ...board.memory });
  atomicsWait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function tearDown(): Promise<void> {
  work();
  try {
    await moduleTeardown?.(context);
    if (printing !== undefined) await printed(printing);
    post({ type: 'torn-down' });
  } catch (error) {
    post({ type: 'torn-down', error: toErrorRecord(error) });
  }
  rest();
}

/** A thread that blocks prints nothing: what was printed goes out first. */
async function printed({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): Promise<void> {
  if (stdout.writableLength > 0) await new OwnPromise((resolve) => stdout.write('', () => resolve(undefined)));
  if (stderr.writableLength > 0) await new OwnPromise((resolve) => stderr.write('', () => resolve(undefined)));
}

function runningTasks(): RunningTask[] {
  const running: RunningTask[] = [];
  for (let lane = 0; lane < lanes.length; lane++) {
    const task = lanes[lane]!.running;
    if (task !== undefined) running[running.length] = task;
  }
  return running;
}

/** A handler may post a million: the first is told. */
const posting: Record<string, true> = Object.create(null);

function tellPosted(): void {
  const { task } = runningTasks()[0] ?? {};
  const handler = task?.handler ?? '';
  if (posting[handler]) return;
  posting[handler] = true;
  post({ type: 'misuse', misuse: { kind: 'posted' }, taskId: task?.id, handler: task?.handler });
}

/** More of them tell nobody anything. */
const MAX_PRINTERS = 5;

function printersNow(): Printers {
  const attempts: Printers['attempts'] = [];
  let others = 0;
  for (let lane = 0; lane < lanes.length; lane++) {
    const current = lanes[lane]!.current;
    if (current === undefined) continue;
    if (attempts.length === MAX_PRINTERS) others++;
    else attempts[attempts.length] = { taskId: current.taskId, attempt: current.attempt };
  }
  return { attempts, others };
}

/** The main thread's stdout is for data only, and its terminal may show a progress bar. */
function captureOutput(stream: 'stdout' | 'stderr'): void {
  type Write = (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
  // A character may come in two pieces.
  const decoder = new StringDecoder();
  const write: Write = (chunk, encoding, callback) => {
    const isText = typeof chunk === 'string' && typeof encoding !== 'string';
    const text = isText ? chunk : decoder.write(Buffer.from(chunk as string, encoding as BufferEncoding));
    if (text !== '') post({ type: 'output', stream, text, printers: printersNow() });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') nextTick(done);
    return true;
  };
  process[stream].write = write;
}
