import type { TraceSettings } from './settings.js';
import { TraceLog, type TraceLogSettings } from './trace-log.js';

/** Of the process that calls it, until that ends or the log is stopped: from now on SIGUSR2 asks for a dump, too. */
export function startTrace(
  { intervalMs, maxPauseMs, json }: TraceSettings,
  about: Pick<TraceLogSettings, 'path' | 'title' | 'firstAfterMs' | 'onUnwritable'>,
): TraceLog {
  const trace = new TraceLog({
    ...about,
    intervalMs,
    json,
    look: async () => (await import('../inspect-self.js')).inspectSelf({ maxPauseMs }),
  });
  // Stays when the log is stopped: a signal that comes late is no reason to die.
  process.on('SIGUSR2', () => void trace.dump('SIGUSR2'));
  return trace;
}
