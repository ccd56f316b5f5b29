/** What a keeper's process is given by the executor that starts it. */

/** Where it finds the line to its executor, and the lock of the run. */
export const LINE_FD = 3;
export const LOCK_FD = 4;

/** What it is started for, as JSON in its one argument. */
export interface KeeperJob {
  /** Folder of the run. */
  runDir: string;
  runId: string;
  lockPath: string;
}
