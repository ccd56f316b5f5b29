import { HoldfastError } from '../runtime/errors.js';
import { openSqliteQueueReader } from '../runtime/queue/sqlite-reader.js';
import { StateDir } from '../runtime/state-dir.js';
import type { ExecutorStatus } from '../runtime/status.js';
import type { TaskCounts } from '../runtime/task.js';
import { formatCount, formatDuration } from '../runtime/units.js';
import { hasColor, painter, type Paint } from './color.js';
import { EXIT } from './exit-code.js';
import { askRun, lockOf, mustKnowRun, queuePath } from './find-run.js';

interface Given {
  dir?: string;
  json?: boolean;
  color?: boolean;
}

/** Where a run stands, as far as it can be told from outside. */
interface RunStatus {
  runId: string;
  /** `idle`: no executor holds its lock; `silent`: one does, but does not answer; else the executor's mode. */
  state: ExecutorStatus['mode'] | 'idle' | 'silent';
  counts: TaskCounts | null;
  holder: { pid: number; hostname: string; startedAt: string } | null;
  /** Only while an executor answers. */
  executor: ExecutorStatus | null;
  /** What could not be told, and why. */
  problem: string | null;
}

/** `runtime status [run-id]` */
export async function status(runId: string | undefined, given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  if (runId !== undefined) mustKnowRun(stateDir, runId);
  const runs: RunStatus[] = [];
  for (const id of runId === undefined ? stateDir.runIds() : [runId]) runs.push(await lookAt(stateDir, id));
  if (given.json) {
    const body = runId === undefined ? { runs } : runs[0];
    process.stdout.write(`${JSON.stringify({ schema: 1, ...body })}\n`);
  } else if (runs.length === 0) {
    process.stderr.write(`no runs in ${stateDir.root}\n`);
  } else {
    const paint = painter(hasColor(process.stdout, given.color ?? true));
    for (const run of runs) process.stdout.write(runId === undefined ? `${line(run, paint)}\n` : page(run, paint));
  }
  return EXIT.ok;
}

async function lookAt(stateDir: StateDir, runId: string): Promise<RunStatus> {
  const lock = lockOf(stateDir, runId);
  const held = lock.isLocked();
  const holder = (held && lock.holder()) || null;
  const run: RunStatus = {
    runId,
    state: held ? 'silent' : 'idle',
    counts: null,
    holder: holder && { pid: holder.pid, hostname: holder.hostname, startedAt: holder.startedAt },
    executor: null,
    problem: null,
  };
  try {
    if (held) {
      run.executor = await askRun(stateDir, runId, 'status');
      run.state = run.executor.mode;
      run.counts = run.executor.counts;
      return run;
    }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    run.problem = error.message;
  }
  try {
    run.counts = await recordedCounts(queuePath(stateDir, runId));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    run.problem = error.message;
  }
  return run;
}

async function recordedCounts(path: string): Promise<TaskCounts | null> {
  const reader = await openSqliteQueueReader(path);
  if (reader === undefined) return null;
  try {
    return await reader.counts();
  } finally {
    await reader.close();
  }
}

function line(run: RunStatus, paint: Paint): string {
  return [run.runId, paint(colorOf(run.state), run.state), countsText(run.counts, paint)].join('  ');
}

function page(run: RunStatus, paint: Paint): string {
  const rows: [string, string][] = [
    ['run', run.runId],
    ['state', paint(colorOf(run.state), run.state)],
    ['tasks', countsText(run.counts, paint)],
  ];
  if (run.holder) rows.push(['holder', `${run.holder.pid}@${run.holder.hostname} since ${run.holder.startedAt}`]);
  for (const thread of run.executor?.threads ?? []) {
    rows.push([`thread ${thread.number}`, `${thread.state}, ${formatCount(thread.tasksDone)} tasks done`]);
    for (const { id, handler, since, progress } of thread.running) {
      const share = progress === undefined ? '' : `, ${progress.done}${progress.total === undefined ? '' : `/${progress.total}`}`;
      rows.push(['', `${handler} ${id} for ${formatDuration(Date.now() - since)}${share}`]);
    }
  }
  if (run.executor?.error) rows.push(['error', run.executor.error.message]);
  if (run.problem !== null) rows.push(['problem', run.problem]);
  return rows.map(([label, text]) => `${paint('dim', label.padEnd(11))}${text}\n`).join('');
}

function countsText(counts: TaskCounts | null, paint: Paint): string {
  if (counts === null) return 'nothing recorded';
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  if (told.length === 0) return 'no tasks';
  return told.map(([state, count]) => paint(TASK_COLORS[state] ?? 'yellow', `${formatCount(count)} ${state}`)).join(', ');
}

const TASK_COLORS: Record<string, Parameters<Paint>[0]> = {
  done: 'green',
  failed: 'red',
  crashed: 'red',
  'timed-out': 'red',
  cancelled: 'red',
};

function colorOf(state: RunStatus['state']): Parameters<Paint>[0] {
  if (state === 'running') return 'green';
  return state === 'idle' ? 'dim' : 'yellow';
}
