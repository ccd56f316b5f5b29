import type { Sighting } from './pool/lookout.js';

/** A thread with a stuck task may have to stand for so many ms; above that, only what it runs is seen. */
const MAX_PAUSE_MS = 4_000;

/**
 * Looks at one thread of this process. What that takes is loaded here, at the
 * first look: most runs need none.
 */
export async function lookAtThread(threadId: number): Promise<Sighting> {
  const [{ inspectSelf }, { stuckLine }] = await Promise.all([
    import('../debug/inspect-self.js'),
    import('../debug/render/stuck-line.js'),
  ]);
  const { threads } = await inspectSelf({
    threads: [threadId],
    maxPauseMs: MAX_PAUSE_MS,
    keep: ({ tasks }) => tasks !== undefined,
  });
  const [thread] = threads;
  if (thread === undefined) throw new Error('it has ended');
  return { pauseMs: thread.pause.measuredMs ?? 0, stuckAt: (taskId) => stuckLine(thread, taskId) };
}
