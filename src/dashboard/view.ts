/**
 * What is shown of runs, as data: whatever draws it, on a terminal or elsewhere, and whoever reads it as JSON, has
 * this one model. It holds no words but those that others wrote. Times are in milliseconds.
 */
import { RecentRate } from '../base/recent-rate.js';
import type { RunView } from '../runs/see-run.js';
import type { ExecutorMode } from '../runtime/status.js';
import type { TaskCounts } from '../runtime/task/task.js';
import type { ThreadStatus } from '../runtime/thread-status.js';

export interface View {
  /** When it was seen, since the epoch. */
  at: number;
  /** The state folder, absolute. */
  root: string;
  /** Those that go on first, then by id. */
  runs: RunPanel[];
}

export interface RunPanel {
  runId: string;
  /** As `RunView` has it. */
  state: RunView['state'];
  /** `null`: nothing is recorded. */
  tasks: TaskPanel | null;
  /** Only while an executor answers. */
  pace: Pace | null;
  holder: { pid: number; hostname: string; since: string } | null;
  /** Until the next delayed task is due, 0 if it is; `null`: none is delayed, or that is not known. */
  nextDueMs: number | null;
  /** `ageMs`: since the last beat, `null`: there was none yet. Only while an executor answers. */
  heartbeat: { ageMs: number | null; missed: number } | null;
  threads: ThreadPanel[];
  /** Only while no executor answers: what the last one said of itself. */
  lastSeen: { state: ExecutorMode; ageMs: number } | null;
  troubles: Trouble[];
}

export interface TaskPanel {
  counts: TaskCounts;
  total: number;
  /** With an outcome, whatever it is. */
  ended: number;
  /** Those of them that did not end done. */
  notDone: number;
  waiting: number;
  running: number;
  /** They were running when their executor died, and will run again. */
  interrupted: number;
}

export interface Pace {
  /** Outcomes a second, of late; before there are enough, since the executor started. */
  perSecond: number;
  /** Since the last outcome, where that is unusually long ago; else `null`. */
  silentMs: number | null;
  /** Until the tasks that are known have ended, at this rate; `null`: nothing is to end, or nothing ends. */
  etaMs: number | null;
}

export interface ThreadPanel {
  number: number;
  state: ThreadStatus['state'];
  tasksDone: number;
  running: RunningPanel[];
}

export interface RunningPanel {
  id: string;
  handler: string;
  /** As JSON; absent where it is long. */
  input?: string;
  forMs: number;
  progress?: { done: number; total?: number };
}

/**
 * `unseen`: it cannot be seen; `unhealthy`: beats are missed; `failed`: the executor takes no more tasks;
 * `last-error`: what went wrong last.
 */
export interface Trouble {
  kind: 'unseen' | 'unhealthy' | 'failed' | 'last-error';
  message: string;
  ageMs: number | null;
}

/** Makes views one after the other: what tells of a rate needs those before. */
export class Views {
  readonly #root: string;
  /** Of each run, for as long as it has the same executor. */
  readonly #rates = new Map<string, { epoch: number; rate: RecentRate }>();

  /** @param root the state folder */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * @param at now, since the epoch
   * @param clock milliseconds that only grow
   */
  next(runs: readonly RunView[], at = Date.now(), clock = performance.now()): View {
    const panels = runs.map((run) => ({ ...panelOf(run, at), pace: this.#pace(run, clock) }));
    const goesOn = ({ state }: RunPanel) => state !== 'idle';
    panels.sort((one, other) => Number(goesOn(other)) - Number(goesOn(one)) || (one.runId < other.runId ? -1 : 1));
    return { at, root: this.#root, runs: panels };
  }

  #pace({ runId, executor }: RunView, clock: number): Pace | null {
    if (executor === null) {
      this.#rates.delete(runId);
      return null;
    }
    const known = this.#rates.get(runId);
    const rate = known?.epoch === executor.epoch ? known.rate : new RecentRate();
    this.#rates.set(runId, { epoch: executor.epoch, rate });
    const { ended, waiting, running } = tasksOf(executor.counts, true);
    if (executor.mode === 'paused') rate.restart();
    rate.add(ended, clock);
    const { settled, elapsedMs } = executor.statistics;
    const perSecond = rate.perSecond(clock) || (elapsedMs > 0 ? (settled * 1_000) / elapsedMs : 0);
    const silent = running > 0 ? rate.silentMs(clock) : undefined;
    const silentMs = silent === undefined ? null : Math.round(silent);
    const left = waiting + running;
    const ends = executor.mode === 'running' && left > 0 && perSecond > 0 && silentMs === null;
    return { perSecond, silentMs, etaMs: ends ? Math.round((left * 1_000) / perSecond) : null };
  }
}

function panelOf(run: RunView, at: number): Omit<RunPanel, 'pace'> {
  const { runId, state, counts, holder, executor, lastSeen } = run;
  const ageOf = (then: number) => Math.max(0, Math.round(at - then));
  const beat = executor?.health.lastBeat ?? null;
  const seen = lastSeen?.snapshot;
  return {
    runId,
    state,
    tasks: counts && tasksOf(counts, state !== 'idle'),
    holder: holder && { pid: holder.pid, hostname: holder.hostname, since: holder.startedAt },
    nextDueMs: executor?.nextDueMs ?? null,
    heartbeat: executor && { ageMs: beat && ageOf(beat.at), missed: executor.health.missedBeats },
    threads: (executor?.threads ?? []).map(({ number, state: doing, tasksDone, running }) => ({
      number,
      state: doing,
      tasksDone,
      running: running.map(({ since, ...task }) => ({ ...task, forMs: ageOf(since) })),
    })),
    lastSeen:
      seen === undefined || seen.updatedAt === null ? null : { state: seen.state, ageMs: ageOf(seen.updatedAt) },
    troubles: troublesOf(run, ageOf),
  };
}

/** @param goesOn whether what is running does run */
function tasksOf(counts: TaskCounts, goesOn: boolean): TaskPanel {
  const { queued, delayed, running, done, failed, crashed, cancelled } = counts;
  const notDone = failed + crashed + counts['timed-out'] + cancelled;
  const waiting = queued + delayed;
  return {
    counts,
    total: waiting + running + done + notDone,
    ended: done + notDone,
    notDone,
    waiting,
    running: goesOn ? running : 0,
    interrupted: goesOn ? 0 : running,
  };
}

function troublesOf({ problem, executor, lastSeen }: RunView, ageOf: (then: number) => number): Trouble[] {
  const troubles: Trouble[] = [];
  if (problem !== null) troubles.push({ kind: 'unseen', message: problem, ageMs: null });
  if (executor?.error) troubles.push({ kind: 'failed', message: executor.error.message, ageMs: null });
  else if (executor && executor.health.why !== null)
    troubles.push({ kind: 'unhealthy', message: executor.health.why, ageMs: null });
  const last = executor?.health.lastError ?? lastSeen?.snapshot.lastError ?? null;
  if (last !== null) troubles.push({ kind: 'last-error', message: last.message, ageMs: ageOf(last.at) });
  return troubles;
}
