import type { Session } from '../inspector/session.js';
import { OBJECT_GROUP, placeAmong, propertiesOf, type RemoteObject } from './ask.js';
import type { ShownBranch } from './branches.js';
import type { Scripts } from './scripts.js';

/**
 * Asks where the `await` of each branch stands, from the top on. For each
 * answer V8 walks through the heap: the thread stands for 15 to 30 ms where the
 * heap is fresh, and for half a second where it holds two million objects. So
 * there is a limit to it, and the walk that would go over it is not begun.
 *
 * @param limits `limitMs` of all these pauses together; `signal`: once aborted, functions may have gone on
 * @returns branches that were not asked for
 */
export async function locate(
  session: Session,
  branches: readonly ShownBranch[],
  scripts: Scripts,
  { limitMs, signal }: { limitMs: number; signal?: AbortSignal | undefined },
): Promise<number> {
  let left = limitMs;
  let longest = 0;
  let skipped = 0;
  let level = branches;
  while (level.length > 0) {
    for (const { branch, sample } of level) {
      if (left < longest || signal?.aborted) {
        skipped++;
        continue;
      }
      const begin = performance.now();
      const at = await placeOfAwait(session, sample, scripts);
      if (signal?.aborted) skipped++;
      else branch.at = at;
      const took = performance.now() - begin;
      longest = Math.max(longest, took);
      left -= took;
    }
    level = level.flatMap(({ children }) => children);
  }
  return skipped;
}

async function placeOfAwait(session: Session, heapId: number, scripts: Scripts): Promise<ShownBranch['branch']['at']> {
  try {
    const { result } = await session.call<{ result: RemoteObject }>('HeapProfiler.getObjectByHeapObjectId', {
      objectId: String(heapId),
      objectGroup: OBJECT_GROUP,
    });
    const at = placeAmong((await propertiesOf(session, result)).internal, '[[GeneratorLocation]]');
    return (at && scripts.placeOf(at)) ?? null;
  } catch {
    // It has gone on since, and is gone.
    return null;
  }
}
