import type { Session } from '../inspector/session.js';
import { callWith, OBJECT_GROUP, runAndHold, type RemoteObject } from './ask.js';
import { activeObjects, describeActive, type RawHandle } from './in-target.js';

/** Handles whose heap id is asked for; a question each. */
const MAX_IDENTIFIED = 500;

export interface Handles {
  raw: RawHandle[];
  /** What handles tell of themselves, by heap id. */
  byHeapId: Map<number, RawHandle>;
}

/** @param identify whether heap ids are asked for; only after a walk through the heap do they hold */
export async function handlesIn(session: Session, identify: boolean): Promise<Handles> {
  const held = await runAndHold(session, activeObjects);
  const raw = await callWith(session, held, describeActive);
  const byHeapId = new Map<number, RawHandle>();
  if (!identify) return { raw, byHeapId };
  const { result } = await session.call<{ result: { name: string; value?: RemoteObject }[] }>('Runtime.getProperties', {
    objectId: held.objectId,
    ownProperties: true,
  });
  const objects = result.filter(({ name }) => /^\d+$/.test(name)).slice(0, MAX_IDENTIFIED);
  await Promise.all(
    objects.map(async ({ name, value }) => {
      const described = raw[Number(name)]!;
      const { heapSnapshotObjectId } = await session.call<{ heapSnapshotObjectId: string }>(
        'HeapProfiler.getHeapObjectId',
        { objectId: value!.objectId },
      );
      byHeapId.set(Number(heapSnapshotObjectId), described);
    }),
  );
  return { raw, byHeapId };
}

/** Lets go of all that is held for us in a thread. */
export async function letGo(session: Session): Promise<void> {
  await session.call('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP });
}
