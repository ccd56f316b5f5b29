import type { EventSource } from './event-source.js';
import type { PostCondition } from './post-conditions.js';

/** A smoke test, with every default in place. */
export interface SmokeSettings {
  /**
   * From the start of the boot to the first event. Also the longest that any
   * other step may take: the rest of the events, each post-condition, the stop.
   */
  timeoutMs: number;
  threads: number;
  handler: HandlerChoice;
  eventSource: EventSource;
  /** The user's own. */
  postConditions: readonly PostCondition[];
}

/** The function that the events go to. */
export interface HandlerChoice {
  /** `file:` URL. */
  module: string;
  /** Which of its exports. */
  choose(exported: ReadonlySet<string>): string;
}
