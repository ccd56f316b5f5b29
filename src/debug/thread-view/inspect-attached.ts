import { INSPECTION_SCHEMA, type Handle, type Inspection, type ThreadInspection } from '../inspection.js';
import { mapBounded } from '../../base/map-bounded.js';
import type { Attached } from '../inspector/attached.js';
import { SessionEnded } from '../inspector/session.js';
import { lookAtThread, silentThread, surveyOf, type LookSettings } from './look-at-thread.js';

/** Threads that are looked at side by side: more would only make each of them stand longer. */
const AT_ONCE = 2;

export interface AttachedSettings extends Omit<LookSettings, 'folder'> {
  pid: number;
  /** `performance.now()` at the first question. */
  begin: number;
  /** Once it is aborted, no further thread is looked at: what is found then is of no use. */
  signal?: AbortSignal | undefined;
}

/** Looks at all threads that one is attached to. */
export async function inspectAttached(attached: Attached, settings: AttachedSettings): Promise<Inspection> {
  const takenAt = new Date().toISOString();
  const inOrder = attached.threads.toSorted((one, other) => one.threadId - other.threadId);
  // All at once: those that do not answer are waited for.
  const surveys = await Promise.all(inOrder.map(surveyOf));
  const ended: string[] = [];
  const looks = mapBounded(
    inOrder.keys(),
    async (index) => {
      const [thread, survey] = [inOrder[index]!, surveys[index]!];
      try {
        if (survey === 'ended') throw new SessionEnded();
        if (survey === 'silent' || settings.signal?.aborted) return silentThread(thread.threadId, thread.name);
        return await lookAtThread(thread, survey, { ...settings, folder: attached.folder });
      } catch (error) {
        // Of the main thread, the process has ended.
        if (!(error instanceof SessionEnded) || thread.threadId === 0) throw error;
        ended.push(thread.name);
        return undefined;
      }
    },
    AT_ONCE,
  );
  const threads: ThreadInspection[] = [];
  for await (const thread of looks) if (thread !== undefined) threads.push(thread);
  const [main, ...others] = threads;
  if (main?.threadId === 0) main.handles.push(...others.map(workerHandle));
  const answered = surveys.find((survey) => typeof survey === 'object');
  return {
    schema: INSPECTION_SCHEMA,
    takenAt,
    tookMs: Math.round(performance.now() - settings.begin),
    pid: settings.pid,
    node: answered?.node ?? '',
    command: answered?.command ?? '',
    threads,
    notes: ended.length === 0 ? [] : [`${ended.join(', ')} ended while it was inspected`],
  };
}

/** Node does not tell of worker threads among what is open. */
function workerHandle({ threadId, name }: ThreadInspection): Handle {
  return { kind: 'worker thread', count: 1, what: `worker thread ${threadId} (${name})`, keepsAlive: true };
}
