import type { Executor } from '../runtime/executor.js';
import { noteOf } from '../runtime/health/note.js';
import { LEAST_WATCHDOG_MS, SystemdNotifier, watchdogOf } from '../runtime/health/systemd.js';
import { formatDuration } from '../base/units.js';

/**
 * Tells systemd, which started this service (`Type=notify`), how the run stands.
 * @returns what waits until all was told
 */
export function notifySystemd(executor: Executor): () => Promise<void> {
  const warn = (error: Error) => void executor.emit('warning', error);
  // systemd knows the supervisor, where there is one.
  const watchdogMs = watchdogOf(process.env, [process.pid, process.ppid]);
  if (watchdogMs !== undefined && watchdogMs < LEAST_WATCHDOG_MS) {
    const told = `WatchdogSec=${formatDuration(watchdogMs)} is too short: beats come once a second`;
    warn(new Error(`${told}, so it must be ${formatDuration(LEAST_WATCHDOG_MS)} or more`));
  }
  const systemd = new SystemdNotifier({ watchdogMs, onTrouble: warn });
  /** A queue that fails has nothing to tell: the executor fails with it. */
  const tell = async (how: (note: string) => void) => {
    const note = await executor.counts().then(
      (counts) => noteOf(executor.mode, counts),
      () => undefined,
    );
    if (note !== undefined) how(note);
  };
  void tell((note) => systemd.ready(note));
  executor.on('beat', () => void tell((note) => systemd.beat(note)));
  executor.on('mode-changed', (mode) => {
    if (mode === 'stopped') return;
    const ends = mode === 'draining' || mode === 'stopping' || mode === 'failed';
    void tell((note) => (ends ? systemd.stopping(note) : systemd.ready(note)));
  });
  return () => systemd.close();
}
