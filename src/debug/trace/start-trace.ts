import type { TraceSettings } from './settings.js';
import { TraceLog, type TraceLogSettings } from './trace-log.js';

/**
 * Looks into the process that calls it, from its main thread, until the process
 * ends or the log is stopped. From now on SIGUSR2 asks for a dump, and the hooks
 * of this thread, where they are wanted, keep account; other threads start theirs.
 */
export async function startTrace(
  { intervalMs, maxPauseMs, startMaxPauseMs, json, hooks }: TraceSettings,
  about: Pick<TraceLogSettings, 'path' | 'title' | 'firstAfterMs' | 'onUnwritable'>,
): Promise<TraceLog> {
  if (hooks) (await import('../hooks/hooks.js')).startHooks();
  const trace = new TraceLog({
    ...about,
    intervalMs,
    maxPauseMs,
    startMaxPauseMs,
    json,
    look: async (look) => (await import('../inspect-self.js')).inspectSelf(look),
  });
  // Stays when the log is stopped: a signal that comes late is no reason to die.
  process.on('SIGUSR2', () => void trace.dump('SIGUSR2'));
  return trace;
}
