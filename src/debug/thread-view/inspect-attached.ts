import { INSPECTION_SCHEMA, type Inspection } from '../inspection.js';
import type { Attached } from '../inspector/attached.js';
import { lookAtThread, type LookedAt, type LookSettings } from './look-at-thread.js';

/** Threads that are looked at side by side: more would only make each of them stand longer. */
const AT_ONCE = 2;

export interface AttachedSettings extends Omit<LookSettings, 'folder' | 'raiseBy'> {
  pid: number;
  /** `performance.now()` at the first question. */
  begin: number;
}

/** Looks at all threads that one is attached to. */
export async function inspectAttached(attached: Attached, settings: AttachedSettings): Promise<Inspection> {
  const takenAt = new Date().toISOString();
  const looks: LookedAt[] = Array.from({ length: attached.threads.length });
  const numbered = attached.threads.entries();
  const lookOn = async () => {
    for (const [index, thread] of numbered) {
      looks[index] = await lookAtThread(thread, { ...settings, folder: attached.folder, raiseBy: '--max-pause' });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lookOn));
  const answered = looks.find(({ survey }) => survey !== undefined)?.survey;
  return {
    schema: INSPECTION_SCHEMA,
    takenAt,
    tookMs: Math.round(performance.now() - settings.begin),
    pid: settings.pid,
    node: answered?.node ?? '',
    command: answered?.command ?? '',
    threads: looks.map(({ thread }) => thread),
    notes: [],
  };
}
