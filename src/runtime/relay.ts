import type { EventEmitter } from 'node:events';
import type { ExecutorEvents, TaskRetrying } from './executor-events.js';
import type { Health } from './health/health.js';
import { MisuseLog } from './misuse.js';
import type { Dispatcher } from './pool/dispatcher.js';
import type { ClaimedTask, Settlement } from './queue/contract.js';
import { idOf } from './queue/generated-id.js';
import type { Statistics } from './statistics.js';
import type { Submissions } from './submissions.js';
import { outcomeOf, outcomeToTell } from './task/task-outcome.js';
import type { Outcome } from './task/task.js';
import { tellingInput } from './thread-status.js';
import { now, wallTime } from './thread/board.js';
import type { WatchedTasks } from './watched-tasks.js';

/** Who else hears of what a dispatcher tells. */
interface Listeners {
  watched: WatchedTasks;
  submissions: Submissions;
  statistics: Statistics;
  health: Health;
}

/** Passes on what threads and their tasks report, and what has become of tasks, in the words of `ExecutorEvents`. */
export function relay(dispatcher: Dispatcher, executor: EventEmitter<ExecutorEvents>, listeners: Listeners): void {
  const { watched, health } = listeners;
  relaySettled(dispatcher, executor, listeners);
  dispatcher.on('thread-died', ({ number }, cause, tasks) => {
    health.threadDied(number, cause);
    executor.emit('thread-died', { thread: number, cause, tasks: tasks.map(idOf) });
  });
  dispatcher.on('thread-unended', (thread) => executor.emit('thread-unended', thread));
  const misuse = new MisuseLog();
  dispatcher.on('event', (thread, event) => {
    const { number } = thread;
    switch (event.type) {
      case 'progress': {
        thread.progress[event.lane] = event;
        watched.tell(event);
        if (executor.listenerCount('progress') === 0) return;
        const { taskId, done, total } = event;
        executor.emit('progress', { taskId, done, ...(total !== undefined && { total }), thread: number });
        return;
      }
      case 'output':
        if (executor.listenerCount('output') > 0) {
          const { attempts, others } = event.printers;
          const known = attempts.map((attempt) => ({ ...attempt, ...tellingInput(thread, attempt.taskId) }));
          executor.emit('output', event.text, event.stream, number, { attempts: known, others });
        }
        return;
      case 'log': {
        const { type: _, ...entry } = event;
        executor.emit('log', { ...entry, ...tellingInput(thread, entry.taskId), thread: number });
        return;
      }
      case 'misuse': {
        const warning = misuse.warningOf(event, number);
        if (warning !== undefined) executor.emit('warning', warning);
      }
    }
  });
  dispatcher.on('warning', (warning) => executor.emit('warning', warning));
  dispatcher.starts.heard = () => executor.listenerCount('started') > 0;
  dispatcher.on('started', (thread, task, since) => {
    const { handler, attempts } = task;
    const startedAt = wallTime(since);
    executor.emit('started', { taskId: idOf(task), handler, attempt: attempts + 1, startedAt, thread: thread.number });
  });
  dispatcher.on('tasks-stuck', (stuck, why, stuckAt, timeoutMs) => {
    const { thread, since } = stuck[0]!;
    const tasks = stuck.map(({ task }) => idOf(task));
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    executor.emit('tasks-stuck', { thread: thread.number, tasks, why, runningMs: now() - since, ...limit, stuckAt });
  });
}

function relaySettled(
  dispatcher: Dispatcher,
  executor: EventEmitter<ExecutorEvents>,
  { submissions, statistics, health }: Listeners,
): void {
  dispatcher.on('settled', (tasks, settlements, ordinals) => {
    let recorded = 0;
    const heard = executor.listenerCount('outcome') + executor.listenerCount('recorded') > 0;
    const hearsRetries = executor.listenerCount('retrying') > 0;
    for (let i = 0; i < tasks.length; i++) {
      const settlement = settlements[i]!;
      if (settlement.kind !== 'outcome') {
        if (hearsRetries && settlement.kind === 'retry') executor.emit('retrying', retryingOf(tasks[i]!, settlement));
        continue;
      }
      const ordinal = ordinals[recorded++]!;
      statistics.record(settlement);
      health.settled(settlement);
      submissions.settle(tasks[i]!, settlement);
      if (heard) announceOutcome(executor, outcomeOf(tasks[i]!, settlement), ordinal);
    }
  });
}

/** To whoever listens: most of the command never reads a result, and gets it as it is recorded. */
export function announceOutcome(executor: EventEmitter<ExecutorEvents>, outcome: Outcome, ordinal: number): void {
  executor.emit('recorded', outcome);
  if (executor.listenerCount('outcome') > 0) executor.emit('outcome', outcomeToTell(outcome), ordinal);
}

function retryingOf(task: ClaimedTask, settlement: Settlement & { kind: 'retry' }): TaskRetrying {
  return { taskId: idOf(task), handler: task.handler, ...settlement.earlier.at(-1)!, dueAt: settlement.runAt };
}
