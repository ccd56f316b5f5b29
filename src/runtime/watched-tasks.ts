import { AbortListeners } from '../base/abort-listeners.js';
import type { AddedTask } from './queue/contract.js';
import type { SubmitOptions } from './task/new-task.js';
import type { Submissions } from './submissions.js';
import { TaskError } from './task/task-error.js';
import type { NewTask } from './task/task.js';
import type { TaskProgress } from './thread/protocol.js';

type Watch = Pick<SubmitOptions, 'signal' | 'onProgress'>;

/** Tasks whose submitter may give up, or wants to hear how far they are. */
export class WatchedTasks {
  readonly #submissions: Submissions;
  readonly #cancel: (id: string) => Promise<boolean>;
  readonly #aborts = new AbortListeners();
  /** By task id. */
  readonly #onProgress = new Map<string, Set<NonNullable<Watch['onProgress']>>>();

  constructor(submissions: Submissions, cancel: (id: string) => Promise<boolean>) {
    this.#submissions = submissions;
    this.#cancel = cancel;
  }

  /** As `Submissions.resultOf`, with what `SubmitOptions` promises. */
  async resultOf(task: NewTask, { signal, onProgress }: Watch): Promise<unknown> {
    if (signal?.aborted) throw signal.reason;
    let added: AddedTask | undefined;
    let cancelling = false;
    // A reason may be any value, `undefined` too: it is passed on as it is.
    let giveUp!: (reason: unknown) => void;
    const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
    // One of this call's own: the same function may listen for another one.
    const listener: typeof onProgress = onProgress && ((progress) => onProgress(progress));
    const onAdded = (it: AddedTask) => {
      added = it;
      if (listener !== undefined) this.#listen(it.id, listener);
      // Others who were submitted with it are there by then.
      if (signal?.aborted) queueMicrotask(onAbort);
    };
    const { result, leave } = this.#submissions.watch(task, onAdded);
    const onAbort = () => {
      // Until it is in the queue there is nothing to cancel by.
      if (added === undefined) return;
      if (added.status !== 'added' || this.#submissions.isShared(added)) {
        leave();
        giveUp(signal!.reason);
        return;
      }
      cancelling = true;
      this.#cancel(added.id).catch(giveUp);
    };
    if (signal !== undefined) this.#aborts.add(signal, onAbort);
    try {
      return await Promise.race([result, givenUp]);
    } catch (error) {
      if (!cancelling || !(error instanceof TaskError) || error.code !== 'ERR_TASK_CANCELLED') throw error;
      throw new TaskError(error.outcome as ConstructorParameters<typeof TaskError>[0], signal!.reason);
    } finally {
      if (signal !== undefined) this.#aborts.remove(signal, onAbort);
      if (added !== undefined && listener !== undefined) this.#forget(added.id, listener);
    }
  }

  tell({ taskId, done, total }: TaskProgress): void {
    const listeners = this.#onProgress.get(taskId);
    if (listeners === undefined) return;
    for (const listener of listeners) listener({ done, ...(total !== undefined && { total }) });
  }

  #listen(id: string, listener: NonNullable<Watch['onProgress']>): void {
    const others = this.#onProgress.get(id);
    if (others === undefined) this.#onProgress.set(id, new Set([listener]));
    else others.add(listener);
  }

  #forget(id: string, listener: NonNullable<Watch['onProgress']>): void {
    const listeners = this.#onProgress.get(id);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#onProgress.delete(id);
  }
}
