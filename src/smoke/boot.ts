import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../runtime/errors.js';
import type { Executor } from '../runtime/executor.js';
import type { HandlerChoice, SmokeSettings } from './settings.js';

export const RUN_ID = 'smoke';

/** From the abort of a task to the end of its thread, in ms: a test whose handler hangs should not take long to end. */
const GRACE_MS = 200;

/** A real run, as `runtime run` has it, in a state folder of its own. */
export async function bootExecutor({ threads, handler }: SmokeSettings, dir: string): Promise<Executor> {
  // Loaded only now, while the process that is to contend for the lock starts.
  const { startExecutor } = await import('../runtime/start-executor.js');
  const options = {
    runId: RUN_ID,
    handlers: handler.module,
    dir,
    threads,
    concurrency: 1,
    timeoutMs: undefined,
    retries: 0,
    backoff: { baseMs: 0, maxMs: 0 },
    memoryBytes: undefined,
    maxCrashes: 1,
    durable: true,
    graceMs: GRACE_MS,
    recycleAfterTasks: undefined,
    recycleAboveBytes: undefined,
    stallAfterMs: 30_000,
  };
  const { executor } = await startExecutor(options, { captureOutput: true });
  return executor;
}

/**
 * The export that the events go to.
 * @throws HoldfastError ERR_HANDLER_MISSING
 */
export function exportOf({ module, name }: HandlerChoice, exported: ReadonlySet<string>): string {
  const names = [...exported];
  const chosen = name ?? (exported.has('default') || names.length !== 1 ? 'default' : names[0]!);
  if (exported.has(chosen)) return chosen;
  const file = basename(fileURLToPath(module));
  throw new HoldfastError('ERR_HANDLER_MISSING', `${fileURLToPath(module)} exports no function "${chosen}"`, {
    hint: `It exports: ${names.join(', ') || 'no function at all'}. Name one as ${file}#${names[0] ?? 'name'}.`,
  });
}
