import { exitCodeOfSignal, SIGNALS } from './exit-code.js';

/**
 * Aborted by the first signal that asks this process to end, with its name as the reason: what goes on then is to
 * leave all as it was found. A second signal ends the process at once.
 */
export function abortedBySignals(): AbortController {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodeOfSignal(signal));
      controller.abort(signal);
    });
  }
  return controller;
}
