import { EventEmitter } from 'node:events';
import type { Executor } from '../runtime/executor.js';
import type { TaskOutcome } from '../runtime/task/task-outcome.js';
import type { SmokeEvent } from './context.js';

/** The events of a smoke test on their way through the executor: what was submitted, what was told of it. */
export class EventLog extends EventEmitter<{ ended: [event: SmokeEvent] }> {
  readonly events: SmokeEvent[] = [];
  /** Outcomes of tasks that nobody submitted. */
  readonly strays: TaskOutcome[] = [];
  readonly #executor: Executor;
  readonly #handler: string;
  readonly #byId = new Map<string, SmokeEvent & { heard: TaskOutcome[] }>();
  readonly #ends: Promise<void>[] = [];

  /** @param handler the export that gets the events */
  constructor(executor: Executor, handler: string) {
    super();
    this.#executor = executor;
    this.#handler = handler;
    executor.on('outcome', (outcome) => {
      // A result that cannot be read is to be found here and now.
      (this.#byId.get(outcome.id)?.heard ?? this.strays).push({ ...outcome });
    });
  }

  submit(event: unknown): void {
    const entry: SmokeEvent & { heard: TaskOutcome[] } = {
      id: `event-${this.events.length + 1}`,
      event,
      told: null,
      heard: [],
    };
    this.events.push(entry);
    this.#byId.set(entry.id, entry);
    const end = (told: SmokeEvent['told']) => {
      entry.told = told;
      this.emit('ended', entry);
    };
    const result = this.#executor.submit(this.#handler, event, { id: entry.id });
    this.#ends.push(
      result.then(
        (value) => end({ state: 'done', result: value }),
        (error: Error) => end({ state: 'not done', error }),
      ),
    );
  }

  /** Resolves with the first event that is done; rejects with why, if one ends otherwise before. */
  first(): Promise<SmokeEvent> {
    return new Promise((resolve, reject) => {
      this.once('ended', (event) => {
        if (event.told!.state === 'done') resolve(event);
        else reject(event.told!.error);
      });
    });
  }

  /** Resolves once every event submitted so far has come to an end. */
  async settled(): Promise<void> {
    await Promise.all(this.#ends);
  }
}
