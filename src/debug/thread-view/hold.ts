import type { Session } from '../inspector/session.js';
import { OBJECT_GROUP, propertiesOf, runAndHold, type RemoteObject } from './ask.js';

/** Objects whose heap id is asked for, a question each; beyond that they are not recognised. */
const MAX_IDENTIFIED = 1_000;

/** Objects that are held in another thread, in an array. */
export interface HeldObjects {
  array: RemoteObject;
  /** Of each of them, or the first of them, in the same order. */
  heapIds: number[];
}

/**
 * Holds what a function of `in-target.ts` gives.
 * @param identify whether heap ids are asked for; they hold only once the heap was walked through
 */
export async function hold(session: Session, fn: () => object[], identify: boolean): Promise<HeldObjects> {
  const array = await runAndHold(session, fn);
  if (!identify) return { array, heapIds: [] };
  const { own } = await propertiesOf(session, array);
  const objects = own.filter(({ name }) => /^\d+$/.test(name)).slice(0, MAX_IDENTIFIED);
  const heapIds = await Promise.all(objects.map(({ value }) => heapIdOf(session, value!)));
  return { array, heapIds };
}

async function heapIdOf(session: Session, { objectId }: RemoteObject): Promise<number> {
  const { heapSnapshotObjectId } = await session.call<{ heapSnapshotObjectId: string }>(
    'HeapProfiler.getHeapObjectId',
    {
      objectId,
    },
  );
  return Number(heapSnapshotObjectId);
}

/** Lets go of all that is held for us in a thread. */
export async function letGo(session: Session): Promise<void> {
  await session.call('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP });
}
