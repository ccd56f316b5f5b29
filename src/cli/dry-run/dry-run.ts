import { emit } from '../../dryrun/plan/emit.js';
import { EXIT, exitCodeOfSignal, SIGNALS } from '../exit-code.js';
import { resolveDryRunFlags, type DryRunFlags } from './dry-run-flags.js';
import { outliveReaderOfStderr } from '../screen/terminal.js';

/**
 * `runtime dry-run`: events to an executor, or to standard output.
 * @param extra arguments that no flag took
 */
export async function dryRun(given: Record<string, unknown>, extra: readonly string[]): Promise<number> {
  outliveReaderOfStderr();
  const flags = await resolveDryRunFlags(given, extra);
  if (flags.emit) return emitEvents(flags);
  const { driveEvents } = await import('./dry-run-drive.js');
  return driveEvents(flags);
}

/** The first signal ends it behind a whole line. A second one does not wait for a reader that takes no more. */
async function emitEvents({ plan }: DryRunFlags): Promise<number> {
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppedBy !== undefined) process.exit(exitCodeOfSignal(signal));
      stoppedBy = signal;
      stop.abort();
    });
  }
  await emit(plan, process.stdout, stop.signal);
  return stoppedBy === undefined ? EXIT.ok : exitCodeOfSignal(stoppedBy);
}
