import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.js';
import { ExecutorRunningError } from '../../system/lock/executor-running-error.js';
import { ProcessLock } from '../../system/lock/process-lock.js';
import { formatDuration } from '../../base/units.js';
import { privateFolder } from '../../system/private-folder.js';

export interface Patience {
  /** How long to wait for whoever is in the way, in ms; default 30,000. For an answer it is 5,000 at most. */
  waitMs?: number | undefined;
  /** Told what is waited for, as a sentence. */
  onNote?: ((note: string) => void) | undefined;
  /** Ends the waiting, with its reason. */
  signal?: AbortSignal | undefined;
}

/** In ms. */
export const WAIT_MS = 30_000;

/** After how long a wait is told of, in ms. */
export const SILENCE_MS = 1_000;

/**
 * Takes turns with everybody of this user who looks into processes: they share
 * the inspector's port, and one must not close what another one still needs.
 * It is over when all who have the descriptor of the lock have let it go.
 *
 * @throws HoldfastError ERR_INSPECT_BUSY when another look takes longer than `waitMs`
 */
export async function takeTurn({ waitMs = WAIT_MS, onNote, signal }: Patience): Promise<ProcessLock> {
  const lock = new ProcessLock({ path: join(privateFolder(), 'inspect.lock'), runId: 'inspect' });
  const timer = setTimeout(
    () => onNote?.(`waiting for another inspect (process ${lock.holder()?.pid ?? 'unknown'})`),
    SILENCE_MS,
  );
  try {
    return await lock.acquire({ waitMs, ...(signal && { signal }) });
  } catch (error) {
    if (!(error instanceof ExecutorRunningError)) throw error;
    const pid = error.holder?.pid ?? 'unknown';
    throw new HoldfastError(
      'ERR_INSPECT_BUSY',
      `another inspect (process ${pid}) has not ended in ${formatDuration(waitMs)}`,
      {
        cause: error,
        hint: `Wait until it ends, or end it: kill ${pid}`,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}
