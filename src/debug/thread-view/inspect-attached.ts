import { INSPECTION_SCHEMA, type Inspection, type ThreadInspection } from '../inspection.js';
import { mapBounded } from '../../runtime/map-bounded.js';
import type { Attached } from '../inspector/attached.js';
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
  const looks = mapBounded(
    inOrder.keys(),
    async (index) => {
      const [thread, survey] = [inOrder[index]!, surveys[index]];
      if (survey === undefined || settings.signal?.aborted) return silentThread(thread.threadId, thread.name);
      return await lookAtThread(thread, survey, { ...settings, folder: attached.folder });
    },
    AT_ONCE,
  );
  const threads: ThreadInspection[] = [];
  for await (const thread of looks) threads.push(thread);
  const answered = surveys.find((survey) => survey !== undefined);
  return {
    schema: INSPECTION_SCHEMA,
    takenAt,
    tookMs: Math.round(performance.now() - settings.begin),
    pid: settings.pid,
    node: answered?.node ?? '',
    command: answered?.command ?? '',
    threads,
    notes: [],
  };
}
