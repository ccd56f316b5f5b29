/**
 * Calls made in the same turn of the event loop share one transaction, and so
 * one fsync; a call that can wait shares that of the ones that come next.
 */
import { setImmediate } from 'node:timers';

/**
 * When a call resolves. `committed`: once it is on the disk. `applied`: before that, where no call of its turn is in
 * a hurry; it comes to the disk with the next one that is. So calls resolve in their order.
 */
export type When = 'committed' | 'applied';

/** Or so many ms later, at the latest. */
const MAX_WAIT_MS = 2;

/** What calls write to. */
export interface Transactional {
  /** Begins a transaction, or a part of the one that is open. */
  begin(): void;
  /** Undoes the part that was begun last, and the transaction with its first part. */
  undo(): void;
  /** Puts all parts on the disk. */
  commit(): void;
  /** Undoes all parts, of which some may be undone already. */
  rollBack(): void;
  /** Whether an error of a call is the store's trouble, which no other call would escape. */
  isTrouble(error: unknown): boolean;
  /** Something was undone that a call has resolved with. */
  onBroken(error: unknown): void;
}

interface Call {
  apply: () => unknown;
  when: When;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** Calls of one turn, from the first one until they are committed or rejected. */
class Round {
  readonly calls: Call[] = [];
  readonly over: Promise<void>;
  end!: () => void;
  inHurry = false;

  constructor() {
    this.over = new Promise((resolve) => (this.end = resolve));
  }
}

export class GroupCommit {
  readonly #store: Transactional;
  /** Whose calls are not applied yet. */
  #next: Round | undefined;
  /** Whose calls are applied, or rejected, and not committed. */
  #open: Round[] = [];
  #applied: { call: Call; value: unknown }[] = [];
  /** Whether one of them has resolved. */
  #hasAnswered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Transactional) {
    this.#store = store;
  }

  /** `apply` may run more than once: each time on a fresh transaction. */
  run<T>(apply: () => T, when: When = 'committed'): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#next === undefined) {
        this.#next = new Round();
        // Not a microtask: messages of several threads arrive in one turn, each
        // with microtasks of its own. Not a timer: a lone call must not wait.
        setImmediate(() => this.#flush());
      }
      this.#next.calls.push({ apply, when, resolve, reject });
      if (when === 'committed') this.#next.inHurry = true;
    });
  }

  /** Resolves when every call made so far is committed or rejected: none of them waits any longer. */
  async idle(): Promise<void> {
    if (this.#next !== undefined) this.#next.inHurry = true;
    else if (this.#timer !== undefined) this.#commitNext();
    await (this.#next ?? this.#open.at(-1))?.over;
  }

  #flush(): void {
    const round = this.#next!;
    this.#next = undefined;
    this.#open.push(round);
    let { calls } = round;
    while (calls.length > 0) calls = this.#apply(calls, round.inHurry);
    if (round.inHurry) this.#commit();
    else this.#timer ??= setTimeout(() => this.#commit(), MAX_WAIT_MS);
  }

  /**
   * Gives back the calls to be tried again: a call that fails by its own fault
   * is rejected, and the others are run anew without it. Those before it
   * succeed as they did, so each call ends as if they had come one by one; and
   * the good way pays for no savepoints.
   */
  #apply(calls: Call[], inHurry: boolean): Call[] {
    const values: unknown[] = [];
    let culprit: Call | undefined;
    try {
      this.#store.begin();
      for (const call of calls) {
        culprit = call;
        values.push(call.apply());
      }
    } catch (error) {
      if (culprit === undefined || this.#store.isTrouble(error)) {
        this.#fail(error, calls);
        return [];
      }
      this.#store.undo();
      culprit.reject(error);
      return calls.filter((call) => call !== culprit);
    }
    calls.forEach((call, index) => {
      if (inHurry) this.#applied.push({ call, value: values[index] });
      else call.resolve(values[index] as never);
    });
    if (!inHurry) this.#hasAnswered = true;
    return [];
  }

  #commitNext(): void {
    this.#stopWaiting();
    setImmediate(() => this.#commit());
  }

  #commit(): void {
    this.#stopWaiting();
    if (this.#applied.length > 0 || this.#hasAnswered) {
      try {
        this.#store.commit();
      } catch (error) {
        this.#fail(error, []);
        return;
      }
      for (const { call, value } of this.#applied) call.resolve(value as never);
    }
    this.#end();
  }

  #fail(error: unknown, calls: readonly Call[]): void {
    this.#store.rollBack();
    for (const { call } of this.#applied) call.reject(error);
    for (const call of calls) call.reject(error);
    if (this.#hasAnswered) this.#store.onBroken(error);
    this.#end();
  }

  #end(): void {
    this.#stopWaiting();
    this.#applied = [];
    this.#hasAnswered = false;
    for (const round of this.#open.splice(0)) round.end();
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
