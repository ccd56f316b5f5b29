import { once } from 'node:events';
import { InvalidInputError } from '../runtime/errors.js';
import { openSqliteQueueReader } from '../runtime/queue/sqlite-reader.js';
import { StateDir } from '../runtime/state-dir.js';
import type { OutcomeState } from '../runtime/task.js';
import { EXIT } from './exit-code.js';
import { mustKnowRun, queuePath } from './find-run.js';
import { outcomeLine } from './outcome-line.js';

const STATES: readonly OutcomeState[] = ['done', 'failed', 'crashed', 'timed-out', 'cancelled'];

/** `runtime results <run-id>`: also while the run goes on. */
export async function results(runId: string, given: { dir?: string; state?: string }): Promise<number> {
  const state = mustBeState(given.state);
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const reader = await openSqliteQueueReader(queuePath(stateDir, runId));
  // A run in memory, or one that never came to take a task, has recorded nothing.
  if (reader === undefined) return EXIT.ok;
  try {
    for await (const outcome of reader.outcomes(state === undefined ? {} : { state })) {
      if (!process.stdout.write(outcomeLine(outcome))) await once(process.stdout, 'drain');
    }
  } finally {
    await reader.close();
  }
  return EXIT.ok;
}

function mustBeState(state: string | undefined): OutcomeState | undefined {
  if (state === undefined || (STATES as readonly string[]).includes(state)) return state as OutcomeState | undefined;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was printed', [
    { where: '--state', problem: `wants one of ${STATES.join(', ')}, got ${JSON.stringify(state)}` },
  ]);
}
