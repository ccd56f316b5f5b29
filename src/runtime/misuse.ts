import type { ThreadEvent } from './thread/protocol.js';

type MisuseEvent = Extract<ThreadEvent, { type: 'misuse' }>;

/** More kinds than that, of more handlers, are told in no run: a warning for each would hide the others. */
const MAX_TOLD = 100;

/** What tasks did that harms others in their thread, in words: once for each handler, with the first task that did it. */
export class MisuseLog {
  readonly #told = new Set<string>();

  /** `undefined`: it was reported before. */
  warningOf({ misuse, taskId, handler }: MisuseEvent, thread: number): Error | undefined {
    const key = JSON.stringify([misuse, handler]);
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return undefined;
    this.#told.add(key);
    const who = taskId === undefined ? 'something' : `task ${taskId} (handler ${handler})`;
    if (misuse.kind === 'posted') {
      return new Error(
        `${who} posted a message to the parentPort of thread ${thread}, where nobody reads it: ` +
          'return what is to be reported, or use context.log and context.progress',
      );
    }
    return new Error(
      `${who} replaced ${misuse.name} in thread ${thread}: other tasks there get what it put in its place`,
    );
  }
}
