import type { TaskReference } from '../inspection.js';
import type { Session } from '../inspector/session.js';
import { callWith } from './ask.js';
import { hold } from './hold.js';
import { activeObjects, describeActive, describeTasks, taskContexts, type RawHandle } from './in-target.js';

export interface Handles {
  raw: RawHandle[];
  /** What handles tell of themselves, by heap id. */
  byHeapId: Map<number, RawHandle>;
}

/** @param identify whether heap ids are asked for */
export async function handlesIn(session: Session, identify: boolean): Promise<Handles> {
  const { array, heapIds } = await hold(session, activeObjects, identify);
  const raw = await callWith(session, array, describeActive);
  return { raw, byHeapId: new Map(heapIds.map((heapId, index) => [heapId, raw[index]!])) };
}

/** The tasks that run in a thread, by the heap id of their context. */
export async function tasksIn(session: Session): Promise<Map<number, TaskReference>> {
  const { array, heapIds } = await hold(session, taskContexts, true);
  const tasks = await callWith(session, array, describeTasks);
  return new Map(
    heapIds.flatMap((heapId, index): [number, TaskReference][] => {
      const task = tasks[index];
      return task ? [[heapId, task]] : [];
    }),
  );
}
