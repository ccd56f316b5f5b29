import { printable } from '../../../base/printable.js';
import { formatCount } from '../../../base/units.js';
import type { Executor } from '../../../runtime/executor.js';
import { changesInWords, type IdentityChange } from '../../../runtime/identity.js';
import type { HeldTasks } from '../../../runtime/queue/contract.js';
import { taskCount, type Display } from '../../screen/display.js';
import { inputText } from '../../screen/task-name.js';
import type { FeedState } from '../input/feed.js';
import type { Carried, JobControl } from './job-control.js';
import type { RunFlags } from '../run-flags.js';

/** Tasks that are named in one line. */
const MAX_NAMED = 5;

interface Parts {
  flags: RunFlags;
  control: JobControl;
  executor: Executor;
  carried: Carried;
  display: Display;
}

/** What a run takes over from earlier starts, and what it says of it. */
export class EarlierStarts {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Module, handler or source are not what they were. */
  sayChange(change: IdentityChange): void {
    const { executor, display, flags } = this.#parts;
    const { runId } = executor;
    for (const line of changesInWords(runId, change)) display.warn(line);
    // It named lines by their numbers.
    if (change.ofEarlierVersion && flags.source.kind !== 'each') {
      display.warn(`an earlier version has begun run ${runId}: its tasks without an id of their own run anew`);
    }
  }

  /** Says what was done before, and with `--retry-failed` takes back what did not end done. */
  async takeUp(interrupted: number): Promise<void> {
    const { flags, executor, carried, display } = this.#parts;
    if (carried.before > 0)
      display.say(`run ${executor.runId} continues: ${taskCount(carried.before)} had ended before`);
    if (interrupted > 0) display.say(`${taskCount(interrupted)} interrupted the last time: to be run again`);
    if (!flags.retryFailed) return;
    const retried = await executor.retry(['failed', 'crashed', 'timed-out', 'cancelled']);
    carried.before -= retried;
    if (retried > 0) display.say(`${taskCount(retried)} that did not end done: to be tried again`);
  }

  /** The input is at its end: what of the run is not in it stays where it is, or runs with `--keep-queued`. */
  async compareInput({ named }: FeedState): Promise<void> {
    const { flags, control, executor, carried, display } = this.#parts;
    const { tasksBefore, compared } = carried;
    if (tasksBefore === 0) return;
    const { count, some } = await executor.encoded.held(MAX_NAMED);
    if (!compared) {
      display.say(`run ${executor.runId}: ${named.comparedWith(tasksBefore)}`);
      if (count > 0) this.#sayAbsent(count, some);
      carried.compared = true;
      control.carry(carried);
    }
    if (flags.keepQueued) await executor.encoded.letGo();
  }

  #sayAbsent(count: number, some: HeldTasks['some']): void {
    const { flags, display } = this.#parts;
    // The id of a line tells nobody which it was.
    const ofLines = flags.source.kind === 'lines';
    const named = some.map(({ id, input }) => (ofLines ? inputText(input) : printable(id))).join(', ');
    const more = count > some.length ? `, and ${formatCount(count - some.length)} more` : '';
    const verb = count === 1 ? 'is' : 'are';
    const then = flags.keepQueued ? 'they run all the same (--keep-queued)' : 'they stay queued';
    display.say(`${taskCount(count)} of an earlier start ${verb} not in this input: ${named}${more}\n  ${then}`);
  }
}
