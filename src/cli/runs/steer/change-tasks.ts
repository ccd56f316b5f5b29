import { HoldfastError, InvalidInputError } from '../../../base/errors.js';
import { printable } from '../../../base/printable.js';
import { changeRun } from '../../../runs/ask-run.js';
import type { TaskAnswer } from '../../../runtime/control/messages.js';
import type { OutcomeState } from '../../../runtime/task/task.js';
import { StateDir } from '../../../system/state-dir.js';
import { EXIT } from '../../exit-code.js';
import { taskCount } from '../../screen/display.js';
import { printJson, tell } from '../../screen/terminal.js';
import { mustKnowRun, orHint } from '../find-run.js';

interface Given {
  dir?: string;
  json?: boolean;
}

const NOT_DONE: readonly OutcomeState[] = ['failed', 'crashed', 'timed-out', 'cancelled'];

/** `runtime cancel <run-id> <task-id…>` */
export async function cancel(runId: string, taskIds: readonly string[], given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const { tasks } = await orHint(changeRun(stateDir, runId, 'cancel', { ids: unique(taskIds) }), stateDir, runId);
  return report(tasks, given, { done: 'cancelled', not: 'not cancelled: it is unknown, or has ended' });
}

/** `runtime retry <run-id> [task-id…]` */
export async function retry(
  runId: string,
  taskIds: readonly string[],
  given: Given & { state?: string },
): Promise<number> {
  const states = statesToRetry(taskIds, given.state);
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  if (taskIds.length > 0) {
    const asked = changeRun(stateDir, runId, 'retry-tasks', { ids: unique(taskIds) });
    const { tasks } = await orRetryLater(asked, stateDir, runId);
    return report(tasks, given, { done: 'runs again', not: 'left as it is: it is unknown, has not ended, or is done' });
  }
  const { retried } = await orRetryLater(changeRun(stateDir, runId, 'retry', { states }), stateDir, runId);
  if (given.json) printJson({ schema: 1, retried });
  else tell(`${taskCount(retried)} of ${runId} to be tried again`);
  return EXIT.ok;
}

function statesToRetry(taskIds: readonly string[], state: string | undefined): readonly OutcomeState[] {
  if (state === undefined) return NOT_DONE;
  const faults = [];
  if (taskIds.length > 0)
    faults.push({ where: '--state', problem: 'is for all tasks of a state, not for those named' });
  if (!NOT_DONE.includes(state as OutcomeState))
    faults.push({ where: '--state', problem: `must be one of ${NOT_DONE.join(', ')}, got ${JSON.stringify(state)}` });
  if (faults.length > 0) throw new InvalidInputError('ERR_INVALID_OPTIONS', 'no task was touched', faults);
  return [state as OutcomeState];
}

/** In a run that has ended, there is another way. */
async function orRetryLater<Answer>(asked: Promise<Answer>, stateDir: StateDir, runId: string): Promise<Answer> {
  try {
    return await orHint(asked, stateDir, runId);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ERR_NO_EXECUTOR') throw error;
    throw new HoldfastError(error.code, error.message, {
      cause: error,
      hint: `If it has ended, its command with --retry-failed tries them again. ${error.hint ?? ''}`.trimEnd(),
    });
  }
}

const unique = (ids: readonly string[]) => [...new Set(ids)];

function report(tasks: readonly TaskAnswer[], { json }: Given, words: { done: string; not: string }): number {
  if (json) printJson({ schema: 1, tasks });
  else for (const { id, changed } of tasks) tell(`${printable(id)}: ${changed ? words.done : words.not}`);
  return tasks.every(({ changed }) => changed) ? EXIT.ok : EXIT.failure;
}
