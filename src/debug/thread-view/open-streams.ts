import type { OpenStream } from '../inspection.js';
import type { Session } from '../inspector/session.js';
import { callWith, OBJECT_GROUP, runAndHold, type RemoteObject } from './ask.js';
import { describeOpenStreams, fileStreamPrototype } from './in-target.js';

/** For the collection of garbage and the walk through the heap that V8 finds objects by, in ms. */
const PATIENCE_MS = 30_000;

/**
 * Streams of a thread that write to files and are not closed, those with most to write first. V8 finds them by their
 * prototype, so nothing has to be noted when they are made; those that are garbage are collected before.
 */
export async function openStreamsIn(session: Session): Promise<OpenStream[]> {
  const prototype = await runAndHold(session, fileStreamPrototype);
  const { objects } = await session.call<{ objects: RemoteObject }>(
    'Runtime.queryObjects',
    { prototypeObjectId: prototype.objectId, objectGroup: OBJECT_GROUP },
    PATIENCE_MS,
  );
  const streams = await callWith(session, objects, describeOpenStreams);
  return streams.sort((one, other) => other.unwrittenBytes - one.unwrittenBytes);
}
