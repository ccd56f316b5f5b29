import type { AwaitBranch } from '../inspection.js';
import { countOf, type LeftPending } from './pending-functions.js';

/** Of one thread. */
interface ToldOfThread {
  /** How many there were that are written at one place, or are one attempt of a task. */
  counts: Map<string, number>;
  /** Them, with what they waited for. */
  trees: Set<string>;
}

export interface Untold {
  left: LeftPending[];
  /** Functions on top among them, of which nothing was told yet. */
  count: number;
  /** Others among them that are like these, and were told. */
  toldBefore: number;
}

/**
 * What was left pending and has been told, so that it is told once. A task is
 * known by its id and its attempt. Of others V8 tells no identity from one look
 * to the next: of those that are written at one place, as many are taken for
 * told as were told, first those that wait for the same. What has ended since
 * is forgotten.
 */
export class Told {
  #threads = new Map<number, ToldOfThread>();

  /** @param left all that is left now */
  untold(left: readonly LeftPending[]): Untold {
    const before = this.#threads;
    this.#threads = new Map();
    let count = 0;
    const untold = left.flatMap((thread): LeftPending[] => {
      const told = before.get(thread.threadId) ?? { counts: new Map<string, number>(), trees: new Set<string>() };
      if (thread.unknown !== undefined) {
        // What was told may be there still.
        this.#threads.set(thread.threadId, told);
        return [thread];
      }
      const matching = new Matching(told.counts);
      const waitedForTheSame = (branch: AwaitBranch) => Number(told.trees.has(treeOf(branch)));
      const awaits = thread.awaits
        .toSorted((one, other) => waitedForTheSame(other) - waitedForTheSame(one))
        .filter((branch) => {
          const untoldOfBranch = matching.unmatched(branch);
          count += untoldOfBranch;
          return untoldOfBranch > 0;
        });
      this.#threads.set(thread.threadId, { counts: matching.matched, trees: told.trees });
      return awaits.length === 0 ? [] : [{ ...thread, awaits }];
    });
    return { left: untold, count, toldBefore: countOf(untold) - count };
  }

  /** @param left all that is left now, of which what was untold is told */
  add(left: readonly LeftPending[]): void {
    for (const { threadId, awaits, unknown } of left) {
      if (unknown !== undefined) continue;
      const counts = new Map<string, number>();
      for (const key of awaits.flatMap(keysOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
      this.#threads.set(threadId, { counts, trees: new Set(awaits.map(treeOf)) });
    }
  }
}

class Matching {
  /** Of those told, how many are there still. */
  readonly matched = new Map<string, number>();
  readonly #told: ReadonlyMap<string, number>;

  constructor(told: ReadonlyMap<string, number>) {
    this.#told = told;
  }

  unmatched(branch: AwaitBranch): number {
    return keysOf(branch).filter((key) => {
      const matched = this.matched.get(key) ?? 0;
      if (matched === (this.#told.get(key) ?? 0)) return true;
      this.matched.set(key, matched + 1);
      return false;
    }).length;
  }
}

/** One for each function. */
function keysOf({ name, definedAt, tasks = [], count }: AwaitBranch): string[] {
  const others = Math.max(0, count - tasks.length);
  return [
    ...tasks.map(({ id, attempt }) => `task ${attempt} ${id}`),
    ...Array.from({ length: others }, () => JSON.stringify([name, definedAt])),
  ];
}

function treeOf(branch: AwaitBranch): string {
  // How many there are, and when a timer is due, are of the moment.
  return JSON.stringify(branch, (key, value: unknown) =>
    ['count', 'what', 'dueInMs', 'tasks'].includes(key) ? 0 : value,
  );
}
