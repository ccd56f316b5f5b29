import { noteOf } from '../../runtime/health/note.js';
import type { HealthSnapshot } from '../../runtime/health/snapshot.js';
import { printable } from '../../base/printable.js';
import { HEALTH_FILE, StateDir } from '../../system/state-dir.js';
import type { HealthStatus } from '../../runtime/status.js';
import type { RunningTaskStatus } from '../../runtime/thread-status.js';
import { formatCount, formatDuration } from '../../base/units.js';
import { hasColor, painter, type Paint } from '../screen/color.js';
import { EXIT } from '../exit-code.js';
import { seeRun, type RunView } from '../../runs/see-run.js';
import { mustKnowRun } from './find-run.js';
import { countsText } from '../screen/counts-text.js';
import { table } from '../screen/table.js';
import { taskName } from '../screen/task-name.js';
import { printJson, tell } from '../screen/terminal.js';

/** Running tasks that are shown of one thread. */
const MAX_RUNNING = 10;

/** Of what could not be told, in characters: paths may be long. */
const MAX_PROBLEM = 1_000;

interface Given {
  dir?: string;
  json?: boolean;
  color?: boolean;
}

/** `runtime status [run-id]` */
export async function status(runId: string | undefined, given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  if (runId !== undefined) mustKnowRun(stateDir, runId);
  const ids = runId === undefined ? stateDir.runIds() : [runId];
  // All at once: a silent one takes its time.
  const runs = await Promise.all(ids.map((id) => seeRun(stateDir, id)));
  if (given.json) {
    const body = runId === undefined ? { runs } : runs[0];
    printJson({ schema: 1, ...body });
  } else if (runs.length === 0) {
    tell(`no runs in ${stateDir.root}`);
  } else {
    const paint = painter(hasColor(process.stdout, given.color ?? true));
    process.stdout.write(runId === undefined ? statusTable(runs, paint) : statusPage(runs[0]!, paint));
  }
  return EXIT.ok;
}

/** A line a run. */
export function statusTable(runs: readonly RunView[], paint: Paint): string {
  return table(runs.map((run) => line(run, paint)));
}

function line(run: RunView, paint: Paint): string[] {
  const tasks = tasksText(run, paint);
  const wrong = run.problem ?? run.executor?.health.why ?? null;
  return [run.runId, paint(colorOf(run.state), run.state), wrong === null ? tasks : `${tasks} (${printable(wrong)})`];
}

/** All that is known of one run. */
export function statusPage(run: RunView, paint: Paint): string {
  const rows: [string, string][] = [
    ['run', run.runId],
    ['state', paint(colorOf(run.state), run.state)],
    ['tasks', tasksText(run, paint)],
  ];
  if (run.holder) {
    const { pid, hostname, startedAt } = run.holder;
    rows.push(['holder', printable(`${pid}@${hostname} since ${startedAt}`)]);
  }
  if (run.executor) rows.push(['activity', noteOf(run.executor.mode, run.executor.counts)]);
  const dueMs = run.executor?.nextDueMs ?? null;
  if (dueMs !== null) rows.push(['next retry', dueMs === 0 ? 'due now' : `in ${formatDuration(dueMs)}`]);
  rows.push(...healthRows(run, paint));
  for (const thread of run.executor?.threads ?? []) {
    const done = `${formatCount(thread.tasksDone)} ${thread.tasksDone === 1 ? 'task' : 'tasks'} done`;
    rows.push([`thread ${thread.number}`, `${thread.state}, ${done}`]);
    for (const task of thread.running.slice(0, MAX_RUNNING)) rows.push(['', runningText(task)]);
    const more = thread.running.length - MAX_RUNNING;
    if (more > 0) rows.push(['', `and ${formatCount(more)} more`]);
  }
  if (run.problem !== null) rows.push(['problem', printable(run.problem, MAX_PROBLEM)]);
  return rows.map(([label, text]) => `${paint('dim', label.padEnd(11))}${text}\n`).join('');
}

function healthRows({ state, executor, lastSeen }: RunView, paint: Paint): [string, string][] {
  const rows: [string, string][] = [];
  if (executor !== null) {
    rows.push(['heartbeat', heartbeatText(executor.health, paint)]);
    if (executor.error) rows.push(['error', printable(executor.error.message)]);
    else if (executor.health.lastError) rows.push(['last error', errorText(executor.health.lastError)]);
  } else if (lastSeen !== null) {
    const { snapshot, problems } = lastSeen;
    if (snapshot.updatedAt !== null) rows.push(['last seen', lastSeenText(snapshot, state === 'idle')]);
    if (snapshot.lastError !== null) rows.push(['last error', errorText(snapshot.lastError)]);
    // A run that ended well, before anybody looked, or in memory, leaves none.
    for (const problem of problems) rows.push(['health', `${HEALTH_FILE}: ${printable(problem)}`]);
  }
  return rows;
}

function heartbeatText({ lastBeat, missedBeats, why }: HealthStatus, paint: Paint): string {
  const age = lastBeat === null ? 'none yet' : `${formatDuration(ageOf(lastBeat.at))} ago`;
  const missed = missedBeats === 0 ? '' : `, ${formatCount(missedBeats)} missed since the start`;
  return `${age}${missed}${why === null ? '' : `: ${paint('red', printable(why))}`}`;
}

function errorText({ at, source, message }: NonNullable<HealthStatus['lastError']>): string {
  return `${formatDuration(ageOf(at))} ago, ${source}: ${printable(message)}`;
}

function lastSeenText({ state, updatedAt, activity }: HealthSnapshot, dead: boolean): string {
  const died = dead && state !== 'stopped' ? ', and it died since' : '';
  return `${formatDuration(ageOf(updatedAt!))} ago${died}: ${printable(activity.note)}`;
}

function ageOf(at: number): number {
  return Math.max(0, Date.now() - at);
}

function runningText({ id, input, handler, since, progress }: RunningTaskStatus): string {
  const time = `${printable(handler)} ${taskName(id, input)} for ${formatDuration(Math.max(0, Date.now() - since))}`;
  if (progress === undefined) return time;
  const { done, total } = progress;
  return `${time}, at ${formatCount(done)}${total === undefined ? '' : ` of ${formatCount(total)}`}`;
}

function tasksText({ state, counts }: RunView, paint: Paint): string {
  if (counts === null) return 'nothing recorded';
  return countsText(counts, state !== 'idle', paint) || 'none';
}

function colorOf(state: RunView['state']): Parameters<Paint>[0] {
  if (state === 'running') return 'green';
  return state === 'idle' ? 'dim' : 'yellow';
}
