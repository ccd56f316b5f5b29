/** Who waits for the outcome of a task, and how it is told. */
import type { AddedTask } from './queue/contract.js';
import { TaskError } from './task/task-error.js';
import { decodeOutcome, valueOf } from './task/task-outcome.js';
import type { Outcome } from './task/task.js';

/** Settles a promise with a value, or with a promise of one: with one that is rejected, it is rejected. */
export type Settle = (value: unknown) => void;

/** Somebody who wants to know more than what the handler returned. */
interface Watcher {
  readonly wants: 'result' | 'outcome';
  readonly settle: Settle;
  /** Told once the task is in the queue. */
  onAdded?(added: AddedTask): void;
}

/** Nearly all want what the handler returned, and nothing else: of those there is no more than what settles their promise. */
export type Waiter = Settle | Watcher;

export function deliver(waiting: Waiter | Waiter[], outcome: Outcome): void {
  for (const waiter of Array.isArray(waiting) ? waiting : [waiting]) {
    try {
      if (typeof waiter !== 'function' && waiter.wants === 'outcome') waiter.settle(outcome);
      else if (outcome.state === 'done') settleOf(waiter)(valueOf(outcome));
      else refuse(waiter, new TaskError(decodeOutcome(outcome) as ConstructorParameters<typeof TaskError>[0]));
    } catch (error) {
      refuse(waiter, error as Error);
    }
  }
}

/** There will be no outcome. */
export function refuse(waiting: Waiter | Waiter[], why: Error): void {
  for (const waiter of Array.isArray(waiting) ? waiting : [waiting]) settleOf(waiter)(Promise.reject(why));
}

function settleOf(waiter: Waiter): Settle {
  return typeof waiter === 'function' ? waiter : waiter.settle;
}
