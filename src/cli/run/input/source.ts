import type { NewTask } from '../../../runtime/task/task.js';
import type { LeftOut } from './find-files.js';

/** A task and where it was read, so that whatever is wrong with it later can be told with its place. */
export interface SourceTask extends NewTask {
  /** Line of the source, from 1; `undefined` where there are no lines (`--each`). */
  line: number | undefined;
}

/** Tasks that have passed every check that can be made before the first of them is taken. */
export interface TaskSource {
  /** How many tasks will come; `undefined` while more may arrive (`--lines`). */
  total: number | undefined;
  /** Read once, from the first to the last. */
  tasks: AsyncIterable<SourceTask>;
  /** What is no task though it was meant to be one (`--each`). */
  leftOut?: readonly LeftOut[];
  /** Links to folders that were passed by (`--each` without `--follow`). */
  linksNotFollowed?: number;
}
