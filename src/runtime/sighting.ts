import { LOOK_LIMIT_MS, type Haste, type Sighting } from './pool/watch/lookout.js';

/** A thread with a stuck task may have to stand for so many ms; above that, only what it runs is seen. */
const MAX_PAUSE_MS = 4_000;

const load = () => Promise.all([import('../debug/inspect-self.js'), import('../debug/render/stuck-line.js')]);

/**
 * Looks at one thread of this process. What that takes is loaded here, at the
 * first look: most runs need none.
 */
export async function lookAtThread(threadId: number, haste: Haste): Promise<Sighting> {
  const begin = performance.now();
  const [{ inspectSelf }, { stuckLine }] = await load();
  const { threads } = await inspectSelf({
    threads: [threadId],
    maxPauseMs: MAX_PAUSE_MS,
    haste: {
      until: haste.withinMs === undefined ? Infinity : begin + haste.withinMs,
      because: haste.urgent
        ? `a task that is to stop hears of it within ${LOOK_LIMIT_MS}ms`
        : 'a task of its thread is out of time before',
      stackIsEnough: haste.urgent,
      signal: haste.told,
      onSeen: haste.onSeen,
    },
    keep: ({ tasks }) => tasks !== undefined,
  });
  const [thread] = threads;
  if (thread === undefined) throw new Error('it has ended');
  return { pauseMs: thread.pause.measuredMs ?? 0, stuckAt: (taskId) => stuckLine(thread, taskId) };
}
