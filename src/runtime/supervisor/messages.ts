/**
 * What passes between a supervisor and the executor process it starts.
 *
 *   supervisor ── start ──▶ executor     once, as soon as the job is checked
 *   supervisor ── stop ───▶ executor     a signal came; `force`: the second one
 *   supervisor ── dump ───▶ executor     SIGUSR2 came: what does it wait for?
 *   executor ── progressed ▶ supervisor  an outcome was recorded: this one gets somewhere
 *   executor ── carry ────▶ supervisor   what its successor must know, should it die
 *   executor ── finished ─▶ supervisor   it is about to exit with this code, on purpose
 *
 * An executor that ends without `finished` has died, and is replaced. One whose
 * channel closes has lost its supervisor, and ends itself.
 */
import type { PreviousDeath } from '../queue/contract.js';

export interface StartMessage<Job, Carried> {
  type: 'start';
  job: Job;
  /**
   * How the executor before this one ended, what it last said, and how many lines
   * of data were passed on so far; `null`: this is the first one.
   */
  predecessor: {
    death: PreviousDeath;
    /** That it was ended by, if it was one. */
    signal: string | null;
    restarts: number;
    lines: number;
    carried: Carried | null;
  } | null;
}

export interface StopMessage {
  type: 'stop';
  signal: NodeJS.Signals;
  force: boolean;
}

export type ToExecutor<Job, Carried> = StartMessage<Job, Carried> | StopMessage | { type: 'dump' };

export type FromExecutor<Carried> =
  | { type: 'progressed' }
  | { type: 'carry'; carried: Carried }
  | { type: 'finished'; exitCode: number };

/** Where the executor process finds the lock: after stdin, stdout, stderr and the channel. */
export const LOCK_FD = 4;

/**
 * Where it writes data, in whole lines. Its stdout is the supervisor's stderr:
 * what native code or a child process of a task prints is no data.
 */
export const DATA_FD = 5;

/** Where it reaches the keeper of its queue, if that is the supervisor. */
export const KEEPER_FD = 6;
