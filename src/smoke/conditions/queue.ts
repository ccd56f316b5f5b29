import { basename } from 'node:path';
import type { PostCondition } from '../post-conditions.js';
import { judged } from './judged.js';

export interface QueueEvidence {
  /** Path of the queue. */
  queueFile: string;
  /** Paths of what the process that runs the handlers has open; `undefined` where the system does not show it. */
  openFiles(): readonly string[] | undefined;
}

/** Where it had, a handler that closes one of these files would drop the locks that keep others from the log in use. */
export const queueIsApart: PostCondition<QueueEvidence> = {
  name: 'queue apart',
  expected: 'no process that runs handlers has the queue open',
  check({ queueFile, openFiles }) {
    const open = openFiles();
    if (open === undefined) return { ok: true, actual: 'not known: the system does not show open files' };
    const ours = open.filter((path) => path.startsWith(queueFile));
    return judged(
      ours.map((path) => `${basename(path)} is open in the process that runs the handlers`),
      `none of the ${open.length} files that are open is of the queue`,
    );
  },
};
