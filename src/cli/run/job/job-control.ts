/** What surrounds a job: a supervisor, or the command itself with `--no-supervise`. Types only. */
import type { StartSettings } from '../../../runtime/start-executor.js';
import type { StopMessage } from '../../../runtime/supervisor/messages.js';
import type { Writable } from 'node:stream';
import type { Outcome } from '../../../runtime/task/task.js';
import type { EndedSoFar } from './halt.js';
import type { TeardownLoss } from '../../../runtime/teardowns.js';

/** What an executor process hands on to its successor. */
export interface Carried {
  /** When the command started, as `monotonicMs` counts. */
  startedAt: number;
  /** Outcomes that were recorded before the command started. */
  before: number;
  /** Deaths of threads so far. */
  crashes: number;
  /** Tasks that were `done` when its executor started. */
  doneBefore: number;
  /** The first outcomes of this command that are not `done`. */
  failures: Outcome[];
  /** What may be lost, as threads ended without their `teardown`. */
  untorn?: TeardownLoss;
  /** The ordinal of the last of them. */
  beforeOrdinal: number;
  /** How many tasks the run had before the command started, and the highest seq of them. */
  tasksBefore: number;
  lastSeq: number;
  /** Whether it was told how the input compares with them. */
  compared: boolean;
  /** How tasks of this command have ended, where `--halt` counts them. */
  soFar?: EndedSoFar;
  /** The port on which health and metrics are served, where they are. */
  httpPort?: number;
}

/** What a job depends on, whether it has a supervisor or not. */
export interface JobControl {
  start: StartSettings;
  /** What the executor before this one handed on; `undefined`: this is the first of the command. */
  carried: Carried | undefined;
  /** Starts of an executor after the first. */
  restarts: number;
  /** Takes lines for standard output. */
  data: Writable;
  /** Lines that executors of this command printed before. */
  linesBefore: number;
  /** Stops that came before are told at once. */
  onStop(listener: (stop: StopMessage) => void): void;
  /** An outcome was recorded. */
  progressed(): void;
  carry(carried: Carried): void;
}
