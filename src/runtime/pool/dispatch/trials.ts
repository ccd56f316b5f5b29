import type { ClaimedTask, Settlement } from '../../queue/contract.js';

/**
 * Suspects are tried alone: what dies then has proven who killed it. As long
 * as there are any, and until what became of the one that is tried is durable,
 * nothing else runs.
 */
export class Trials {
  /** The queue may hold suspects. */
  #mayBe = false;
  #tried: ClaimedTask | undefined;

  /** Whether no other tasks may run. */
  get alone(): boolean {
    return this.#mayBe || this.#tried !== undefined;
  }

  /** Whether a suspect is being tried. */
  get underWay(): boolean {
    return this.#tried !== undefined;
  }

  /** A suspect is in the queue. */
  came(): void {
    this.#mayBe = true;
  }

  begin(suspect: ClaimedTask): void {
    this.#tried = suspect;
  }

  /** The queue holds none. */
  noneLeft(): void {
    this.#mayBe = false;
  }

  /** How a task goes back to the queue that has not started: a suspect is to be tried later. */
  givenBack(task: ClaimedTask): Settlement {
    return { kind: task === this.#tried ? 'suspect' : 'release', claim: task };
  }

  /** What became of these is durable, or for others to say. */
  end(tasks: readonly ClaimedTask[]): void {
    if (this.#tried && tasks.includes(this.#tried)) this.#tried = undefined;
  }
}
