/**
 * Calls made in the same turn of the event loop share one transaction, and so
 * one fsync.
 */
import { setImmediate } from 'node:timers';

interface Call {
  apply: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  /** Runs `body` in one transaction: committed when it returns, rolled back when it or the commit throws. */
  transact: (body: () => void) => void;
  /** Whether an error of a call is the store's trouble, which no other call of the group would escape. */
  isStoreTrouble: (error: unknown) => boolean;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #calls: Call[] = [];
  #flushed: Promise<void> = Promise.resolve();

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves after the commit. `apply` may run more than once: each time on a fresh transaction. */
  run<T>(apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#calls.push({ apply, resolve, reject });
      if (this.#calls.length > 1) return;
      // Not a microtask: messages of several threads arrive in one turn, each
      // with microtasks of its own. Not a timer: a lone call must not wait.
      this.#flushed = new Promise((flushed) => {
        setImmediate(() => {
          this.#flush();
          flushed();
        });
      });
    });
  }

  /** Resolves when every call made so far is committed or rejected. */
  idle(): Promise<void> {
    return this.#flushed;
  }

  #flush(): void {
    let group = this.#calls;
    this.#calls = [];
    while (group.length > 0) group = this.#commit(group);
  }

  /**
   * Gives back the calls to be tried again: a call that fails by its own fault
   * is rejected, and the others are run anew without it. Those before it
   * succeed as they did, so each call ends as if they had come one by one; and
   * the good way pays for no savepoints.
   */
  #commit(group: Call[]): Call[] {
    const results: unknown[] = [];
    let culprit: Call | undefined;
    try {
      this.#options.transact(() => {
        for (const call of group) {
          culprit = call;
          results.push(call.apply());
        }
        culprit = undefined;
      });
    } catch (error) {
      if (culprit !== undefined && !this.#options.isStoreTrouble(error)) {
        culprit.reject(error);
        return group.filter((call) => call !== culprit);
      }
      for (const call of group) call.reject(error);
      return [];
    }
    group.forEach((call, index) => call.resolve(results[index] as never));
    return [];
  }
}
