import type { Dispatcher } from './pool/dispatcher.js';
import { idOf } from './queue/generated-id.js';
import { wallTime } from './thread/board.js';

/** A thread as `status()` shows it. */
export interface ThreadStatus {
  number: number;
  state: 'loading' | 'idle' | 'busy' | 'retiring';
  /** What it is running now; `since` in milliseconds since the epoch. */
  running: { id: string; handler: string; since: number; progress?: { done: number; total?: number } }[];
  /** When its event loop last turned, milliseconds since the epoch; `null`: not yet. */
  lastBeat: number | null;
  tasksDone: number;
  /** Bytes of its heap in use after its last batch. */
  heapUsed: number;
}

export function statusOfThreads({ pool, vitalSigns }: Dispatcher): ThreadStatus[] {
  const inFlight = vitalSigns.inFlight();
  return pool.threads.map((thread) => ({
    number: thread.number,
    state: !thread.loaded ? 'loading' : !thread.accepting ? 'retiring' : thread.busy ? 'busy' : 'idle',
    running: inFlight
      .filter((running) => running.thread === thread)
      .map(({ batch, task, since }) => ({
        id: idOf(task),
        handler: task.handler,
        since: wallTime(since),
        ...thread.progressOf(batch, task),
      })),
    lastBeat: thread.board.lastBeat === 0 ? null : wallTime(thread.board.lastBeat),
    tasksDone: thread.tasksDone,
    heapUsed: thread.heapUsed,
  }));
}
