import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import { AttemptEnd, type BatchReport } from '../../thread/protocol.js';
import type { Batch } from './batch.js';

/** Ids that are kept of the tasks of a thread. */
const MAX_IDS = 5;

/** What a thread was given to do, a batch a lane, and how far it has reported of that. */
export class Assignments {
  /** By lane. */
  readonly batches: (Batch | undefined)[];
  /** How many batches it was given so far. */
  given = 0;
  tasksDone = 0;
  /** Tasks that it still may take before it is to be replaced. */
  tasksLeft: number;
  /** Tasks that ended `done` here, as far as they are counted; the first few of them by id. */
  readonly done: { count: number; ids: string[] } = { count: 0, ids: [] };

  constructor(lanes: number, maxTasks = Infinity) {
    this.batches = Array.from({ length: lanes });
    this.tasksLeft = maxTasks;
  }

  get freeLane(): number | undefined {
    const lane = this.batches.indexOf(undefined);
    return lane === -1 ? undefined : lane;
  }

  get isEmpty(): boolean {
    return this.batches.every((batch) => batch === undefined);
  }

  give(lane: number, tasks: readonly ClaimedTask[]): Batch {
    this.given += 1;
    const batch: Batch = { lane, tasks, reported: 0, size: tasks.length };
    this.batches[lane] = batch;
    this.tasksLeft -= tasks.length;
    return batch;
  }

  /** Takes back the tasks of a batch from position `first` on. */
  cutOff(batch: Batch, first: number): readonly ClaimedTask[] {
    const rest = batch.tasks.slice(first, batch.size);
    batch.size = first;
    this.tasksLeft += rest.length;
    return rest;
  }

  /** @param countDone whether tasks that ended `done` are counted */
  onReport(report: BatchReport, countDone: boolean): Batch {
    const batch = this.batches[report.lane]!;
    batch.reported += report.ends.length;
    this.tasksDone += report.ends.length;
    if (countDone) this.#countDone(batch, report);
    if (report.last) this.batches[report.lane] = undefined;
    return batch;
  }

  #countDone(batch: Batch, { first, ends }: BatchReport): void {
    for (let i = 0; i < ends.length; i++) {
      if (ends[i] !== AttemptEnd.done) continue;
      if (this.done.count++ < MAX_IDS) this.done.ids.push(idOf(batch.tasks[first + i]!));
    }
  }
}
