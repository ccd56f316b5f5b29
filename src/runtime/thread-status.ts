import type { Dispatcher } from './pool/dispatcher.js';
import type { PoolThread } from './pool/thread/pool-thread.js';
import type { ThreadState } from './pool/thread/thread-state.js';
import type { ClaimedTask } from './queue/contract.js';
import { idOf } from './queue/generated-id.js';
import { isContentId } from './task/task-id.js';
import { wallTime } from './thread/board.js';

/** Of an input that is shown with its task, in characters. */
const MAX_INPUT = 200;

/** A task that a thread is running. */
export interface RunningTaskStatus {
  id: string;
  handler: string;
  /** Its input as JSON; absent where that is longer than 200 characters, or JSON cannot hold it. */
  input?: string;
  /** Milliseconds since the epoch. */
  since: number;
  /** What its handler passed to `context.progress` last. */
  progress?: { done: number; total?: number };
}

/** A thread as `status()` shows it. */
export interface ThreadStatus {
  /** From 1; a thread that replaces another one has its number. */
  number: number;
  /** `retiring`: it takes no more tasks, and ends once it has none. */
  state: 'loading' | 'idle' | 'busy' | 'retiring';
  /** What it is running now. */
  running: RunningTaskStatus[];
  /** When its event loop last turned, milliseconds since the epoch; `null`: not yet. */
  lastBeat: number | null;
  /** Attempts that have ended there, whatever came of them. */
  tasksDone: number;
  /** Bytes of its heap in use when it last looked. */
  heapUsed: number;
  /** Bytes that it held outside of its heap: buffers and the like. */
  externalMemory: number;
}

/** A thread in a few numbers. */
export interface ThreadSummary {
  /** From 1. */
  number: number;
  state: ThreadStatus['state'];
  /** Tasks that it is running now. */
  running: number;
  /** When its event loop last turned, milliseconds since the epoch; `null`: not yet. */
  lastBeat: number | null;
  tasksDone: number;
  /** Bytes. */
  heapUsed: number;
}

/** The input of a task that a thread has in flight, where its id does not tell what it is, and the input is short. */
export function tellingInput({ batches }: PoolThread, taskId: string): { input?: string } {
  if (!isContentId(taskId)) return {};
  for (const batch of batches) {
    const task = batch?.tasks.find((one) => idOf(one) === taskId);
    if (task !== undefined) return shortInput(task);
  }
  return {};
}

function shortInput({ input }: ClaimedTask): { input?: string } {
  return typeof input === 'string' && input.length <= MAX_INPUT ? { input } : {};
}

/** Costs little however many tasks are running. */
export function summaryOfThreads({ pool }: Dispatcher): ThreadSummary[] {
  return pool.threads.map((thread) => ({
    number: thread.number,
    state: stateOf(thread),
    running: thread.batches.filter((batch) => batch !== undefined && thread.board.running(batch.lane)).length,
    lastBeat: lastBeatOf(thread),
    tasksDone: thread.tasksDone,
    heapUsed: thread.memory.heap,
  }));
}

export function statusOfThreads({ pool, vitalSigns }: Dispatcher): ThreadStatus[] {
  const inFlight = vitalSigns.inFlight();
  return pool.threads.map((thread) => ({
    number: thread.number,
    state: stateOf(thread),
    running: inFlight
      .filter((running) => running.thread === thread)
      .map(({ batch, task, since }) => ({
        id: idOf(task),
        handler: task.handler,
        ...shortInput(task),
        since: wallTime(since),
        ...thread.progressOf(batch, task),
      })),
    lastBeat: lastBeatOf(thread),
    tasksDone: thread.tasksDone,
    heapUsed: thread.memory.heap,
    externalMemory: thread.memory.external,
  }));
}

/** What a state is called outside; `undefined`: that depends on whether the thread has work. */
const NAMES: Record<ThreadState, ThreadStatus['state'] | undefined> = {
  loading: 'loading',
  loaded: 'retiring',
  accepting: undefined,
  retired: 'retiring',
  'tearing-down': 'retiring',
  dying: undefined,
  lost: undefined,
  ended: 'retiring',
};

function stateOf({ loaded, state, busy }: PoolThread): ThreadStatus['state'] {
  if (!loaded) return 'loading';
  return NAMES[state] ?? (busy ? 'busy' : 'idle');
}

function lastBeatOf({ board }: PoolThread): number | null {
  return board.lastBeat === 0 ? null : wallTime(board.lastBeat);
}
