import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidInputError } from '../base/errors.js';
import { DRY_RUN_MARK, QUEUE_FILE } from '../system/state-dir.js';

/**
 * Marks the run in this folder as one of dry runs. To be called while its lock is held.
 *
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` if it has tasks that are of no dry run: they would be forgotten
 */
export function markAsDryRun(runDir: string, runId: string): void {
  const mark = join(runDir, DRY_RUN_MARK);
  if (existsSync(mark)) return;
  if (existsSync(join(runDir, QUEUE_FILE))) {
    const problem = `run ${runId} is not a dry run: its tasks and outcomes would be forgotten`;
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was started', [{ where: '--run-id', problem }], {
      hint: `Give the dry run a name of its own: --run-id ${runId}-dry`,
    });
  }
  writeFileSync(mark, '', { mode: 0o600 });
}

/** Takes the mark away if there is no queue beside it: nothing came of the dry run. */
export function unmarkUnused(runDir: string): void {
  if (!existsSync(join(runDir, QUEUE_FILE))) rmSync(join(runDir, DRY_RUN_MARK), { force: true });
}
