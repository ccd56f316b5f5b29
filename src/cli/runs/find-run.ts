import { HoldfastError } from '../../base/errors.js';
import { didYouMean } from '../../base/faults.js';
import { formatCount } from '../../base/units.js';
import { isKnownRun } from '../../runs/run-files.js';
import type { StateDir } from '../../system/state-dir.js';
import { commandFor } from '../arguments/suggest-command.js';

/** Runs that are named where another one was asked for. */
const MAX_NAMED = 20;

/** @throws HoldfastError ERR_NO_EXECUTOR, naming the runs there are, when this one has left no trace */
export function mustKnowRun(stateDir: StateDir, runId: string): void {
  if (isKnownRun(stateDir, runId)) return;
  const known = stateDir.runIds();
  const more = known.length > MAX_NAMED ? ` and ${formatCount(known.length - MAX_NAMED)} more` : '';
  throw new HoldfastError(
    'ERR_NO_EXECUTOR',
    `there is no run "${runId}" in ${stateDir.root}${didYouMean(runId, known)}`,
    {
      hint:
        known.length === 0
          ? 'No run has left its state there (another folder: --dir).'
          : `There are: ${known.slice(0, MAX_NAMED).join(', ')}${more}.`,
    },
  );
}

/**
 * What asking the executor of a run comes to; where there is none, a hint says what to type next.
 * @throws HoldfastError ERR_NO_EXECUTOR, and whatever else `asked` rejects with
 */
export async function orHint<Answer>(asked: Promise<Answer>, stateDir: StateDir, runId: string): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ERR_NO_EXECUTOR' || error.hint !== undefined) throw error;
    throw new HoldfastError(error.code, error.message, {
      cause: error,
      hint: `How the run is doing: ${commandFor(`status ${runId}`, stateDir.root)}`,
    });
  }
}
