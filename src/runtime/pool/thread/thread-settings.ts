import type { Reaper } from '../../processes/reaper.js';

/** What all threads of a pool have in common. */
export interface ThreadSettings {
  /** `file:` URL of the module of handlers. */
  module: string;
  /** Tasks that one thread may have in flight. */
  lanes: number;
  captureOutput: boolean;
  /** Limit in bytes of its heap, and of that with its external memory; `undefined`: V8's own. */
  memory: number | undefined;
  /** Milliseconds that the `teardown` of the module may take, and the end of what tasks have started. */
  grace: number;
  /** Ends what tasks have started if this process dies. */
  reaper: Reaper;
  /** A thread is replaced when its heap and external memory are above so many bytes; `undefined`: never. */
  recycleAboveMemory: number | undefined;
  /** A thread takes so many tasks, and no more; `undefined`: no limit. */
  recycleAfterTasks: number | undefined;
}
