import type { EventEmitter } from 'node:events';
import { HoldfastError } from '../base/errors.js';
import type { ExecutorEvents } from './executor-events.js';
import type { Dispatcher } from './pool/dispatcher.js';
import { formatCount } from '../base/units.js';

/** What tasks gathered in threads whose `teardown` failed, or was never called. Plain data. */
export interface TeardownLoss {
  /** How many threads; all those of an executor that died count as one. */
  threads: number;
  /** Tasks that had ended `done` there. What they gathered may be lost; some of it may have been written before. */
  outcomes: number;
  /** The first few of them, by id. */
  tasks: string[];
  /** Why it is so of the first thread, in a sentence. */
  why: string;
}

const MAX_NAMED = 5;

export function together(
  before: TeardownLoss | undefined,
  { threads, outcomes, tasks, why }: TeardownLoss,
): TeardownLoss {
  return {
    threads: (before?.threads ?? 0) + threads,
    outcomes: (before?.outcomes ?? 0) + outcomes,
    tasks: [...(before?.tasks ?? []), ...tasks].slice(0, MAX_NAMED),
    why: before?.why ?? why,
  };
}

/** Keeps, and tells by `teardown-failed`, which threads of an executor were not torn down. */
export class Teardowns {
  #untorn: TeardownLoss | undefined;

  constructor(dispatcher: Dispatcher, executor: EventEmitter<ExecutorEvents>) {
    dispatcher.on('untorn', ({ number: thread, done }, cause) => {
      const { count: outcomes, ids: tasks } = done;
      this.#untorn = together(this.#untorn, { threads: 1, outcomes, tasks, why: cause.message });
      executor.emit('teardown-failed', { thread, cause, outcomes, tasks });
    });
  }

  /** Those that were not told of yet. */
  tell(): TeardownLoss | undefined {
    const untorn = this.#untorn;
    this.#untorn = undefined;
    return untorn;
  }

  /** @throws HoldfastError ERR_TEARDOWN if there are any */
  throwUntold(): void {
    const untorn = this.tell();
    if (untorn !== undefined) throw teardownError(untorn);
  }
}

/** In words: `thread torn down in vain`, and whose work it concerns. */
export function untornText({ threads, outcomes, tasks, why }: TeardownLoss): string {
  const where = threads === 1 ? '1 thread' : `${formatCount(threads)} threads`;
  const named = tasks.length === 0 ? '' : `: ${tasks.join(', ')}${outcomes > tasks.length ? ', …' : ''}`;
  const whose = outcomes === 0 ? '' : `; what ${formatCount(outcomes)} done tasks left to it may be lost${named}`;
  return `no teardown in ${where} (${why})${whose}`;
}

function teardownError(untorn: TeardownLoss): HoldfastError {
  return new HoldfastError('ERR_TEARDOWN', untornText(untorn), {
    hint:
      untorn.outcomes === 0
        ? 'No task that is recorded as done left anything there.'
        : 'These tasks are recorded as done. To run them again: a run id of its own, or a fresh start.',
  });
}
