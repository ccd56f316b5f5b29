import { once } from 'node:events';
import { InvalidInputError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import type { OutcomeChoice, OutcomeRecord, QueueReader } from '../../runtime/queue/contract.js';
import { damagedRecord } from '../../runtime/queue/refusals.js';
import { StateDir } from '../../system/state-dir.js';
import type { OutcomeState } from '../../runtime/task/task.js';
import { EXIT } from '../exit-code.js';
import { followOutcomes } from '../../runs/follow-outcomes.js';
import { lockOf } from '../../runs/run-files.js';
import { mustKnowRun } from './find-run.js';
import { outcomeLine } from '../screen/outcome-line.js';
import { tell } from '../screen/terminal.js';

type Wanted = OutcomeState | 'not-done';

const STATES: readonly Wanted[] = ['done', 'failed', 'crashed', 'timed-out', 'cancelled', 'not-done'];

interface Given {
  dir?: string;
  state?: string;
  withInput?: boolean;
  follow?: boolean;
}

/** `runtime results <run-id>`: also while the run goes on, and with `--follow` until it has ended. */
export async function results(runId: string, given: Given): Promise<number> {
  const state = mustBeState(given.state);
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const lock = lockOf(stateDir, runId);
  let damaged = 0;
  const onDamaged = (error: Error) => {
    damaged++;
    process.stderr.write(`runtime: ${printable(error.message)}\n`);
  };
  let withInput = given.withInput;
  const choose = async (reader: QueueReader): Promise<OutcomeChoice> => {
    // The ids of lines tell little of what they were.
    withInput ??= (await reader.identity())?.source === 'lines';
    return { withInput, ...(state !== undefined && { state }), onDamaged };
  };
  // A run in memory, or one that never came to take a task, has recorded nothing.
  const goesOn = () => given.follow === true && lock.isLocked();
  let found = false;
  for await (const outcome of followOutcomes(stateDir, runId, { choose, goesOn })) {
    found = true;
    const line = lineOf(outcome, onDamaged);
    if (line !== undefined && !process.stdout.write(line)) await once(process.stdout, 'drain');
  }
  // Whoever has waited for them is to know why none came.
  if (!found && given.follow)
    tell(
      `${state === undefined ? 'no outcome' : `no ${state} outcome`} of ${runId} is recorded (those of a run in memory never are)`,
    );
  return damaged === 0 ? EXIT.ok : EXIT.failure;
}

/** `undefined`: its result is not what was written there. */
function lineOf(outcome: OutcomeRecord, onDamaged: (error: Error) => void): string | undefined {
  try {
    // A text is printed as it is: what is no JSON would spoil the line for whoever reads it.
    if (typeof outcome.result === 'string') JSON.parse(outcome.result);
    return outcomeLine(outcome);
  } catch (error) {
    const which = `of task ${JSON.stringify(outcome.id)} (ordinal ${outcome.ordinal})`;
    onDamaged(damagedRecord(which, 'its result is not what was written there', error));
    return undefined;
  }
}

function mustBeState(state: string | undefined): Wanted | undefined {
  if (state === undefined || (STATES as readonly string[]).includes(state)) return state as Wanted | undefined;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was printed', [
    { where: '--state', problem: `must be one of ${STATES.join(', ')}, got ${JSON.stringify(state)}` },
  ]);
}
