/** A view as lines of text. What matters most comes first in each: on a narrow terminal, the end is cut off. */
import { printable } from '../../../base/printable.js';
import { formatCount, formatDuration, formatRate } from '../../../base/units.js';
import type { Pace, RunningPanel, RunPanel, TaskPanel, ThreadPanel, Trouble, View } from '../../../dashboard/view.js';
import type { Paint } from '../../screen/color.js';
import { countsText } from '../../screen/counts-text.js';
import { table } from '../../screen/table.js';
import { taskName } from '../../screen/task-name.js';

/** Of running tasks that are shown of one thread. */
const MAX_RUNNING = 5;

const MAX_BAR = 40;

/** The page of one run. */
export function drawRun(run: RunPanel, columns: number, paint: Paint): string[] {
  const { runId, state, tasks, pace, holder, heartbeat, lastSeen, nextDueMs, threads, troubles } = run;
  const lines = [`${paint('cyan', runId)}  ${stateText(run, paint)}`];
  if (tasks !== null && tasks.total > 0) lines.push('', ...barLine(tasks, columns, paint), tasksText(tasks, paint));
  else lines.push('nothing recorded');
  const speed = [...paceWords(pace), ...(nextDueMs === null ? [] : [`next retry ${dueText(nextDueMs)}`])];
  if (speed.length > 0) lines.push(speed.join(', '));
  lines.push('');
  for (const thread of threads) lines.push(...threadLines(thread, paint));
  for (const trouble of troubles) lines.push(troubleText(trouble, paint));
  if (heartbeat !== null) {
    const age = heartbeat.ageMs === null ? 'none yet' : `${coarse(heartbeat.ageMs)} ago`;
    const missed = heartbeat.missed === 0 ? '' : `, ${formatCount(heartbeat.missed)} missed`;
    lines.push(paint('dim', `heartbeat ${age}${missed}`));
  }
  if (holder !== null)
    lines.push(paint('dim', printable(`held by ${holder.pid}@${holder.hostname} since ${holder.since}`)));
  if (lastSeen !== null && state !== 'running')
    lines.push(paint('dim', `last seen ${coarse(lastSeen.ageMs)} ago: ${lastSeen.state}`));
  return lines;
}

/** A line a run. */
export function drawRuns({ runs, root }: View, paint: Paint): string[] {
  if (runs.length === 0) return [`no runs in ${printable(root, Infinity)}`];
  return table(runs.map((run) => runRow(run, paint)))
    .trimEnd()
    .split('\n');
}

function runRow(run: RunPanel, paint: Paint): string[] {
  const { tasks, pace, troubles } = run;
  const worst = troubles.find(({ kind }) => kind !== 'last-error');
  return [
    run.runId,
    stateText(run, paint),
    tasks === null ? '' : shareText(tasks),
    paceWords(pace).join(', '),
    tasks === null ? 'nothing recorded' : tasksText(tasks, paint),
    worst === undefined ? '' : troubleText(worst, paint),
  ];
}

function barLine(tasks: TaskPanel, columns: number, paint: Paint): string[] {
  const words = `${formatCount(tasks.ended)} of ${formatCount(tasks.total)} ended (${shareText(tasks)})`;
  const width = Math.min(MAX_BAR, columns - words.length - 4);
  if (width < 5) return [words];
  const filled = Math.floor((width * tasks.ended) / tasks.total);
  return [`[${paint('cyan', '='.repeat(filled))}${' '.repeat(width - filled)}] ${words}`];
}

function tasksText({ counts, interrupted }: TaskPanel, paint: Paint): string {
  return countsText(counts, interrupted === 0, paint) || 'no tasks';
}

/** Rounded down: 100% means that all have ended. */
function shareText({ ended, total }: TaskPanel): string {
  return total === 0 ? '' : `${Math.floor((100 * ended) / total)}%`;
}

function paceWords(pace: Pace | null): string[] {
  if (pace === null) return [];
  const { perSecond, silentMs, etaMs } = pace;
  if (silentMs !== null) return [`no outcome for ${coarse(silentMs)}`];
  return [
    ...(perSecond > 0 ? [formatRate(perSecond)] : []),
    ...(etaMs === null ? [] : [`ETA ${formatDuration(Math.ceil(etaMs / 1_000) * 1_000)}`]),
  ];
}

function threadLines({ number, state, tasksDone, running }: ThreadPanel, paint: Paint): string[] {
  const name = paint('dim', `thread ${number}`.padEnd(11));
  const [first, ...rest] = running.slice(0, MAX_RUNNING).map(runningText);
  const lines = [`${name}${first ?? `${state}, ${formatCount(tasksDone)} done`}`];
  lines.push(...rest.map((text) => `${' '.repeat(11)}${text}`));
  const more = running.length - MAX_RUNNING;
  if (more > 0) lines.push(`${' '.repeat(11)}and ${formatCount(more)} more`);
  return lines;
}

function runningText({ id, input, handler, forMs, progress }: RunningPanel): string {
  const far =
    progress === undefined
      ? ''
      : `, ${formatCount(progress.done)}${progress.total === undefined ? '' : ` of ${formatCount(progress.total)}`}`;
  return `${formatDuration(forMs)}${far}  ${taskName(id, input)}  ${printable(handler)}`;
}

const TROUBLES: Record<Trouble['kind'], string> = {
  unseen: 'problem',
  unhealthy: 'unhealthy',
  failed: 'failed',
  'last-error': 'last error',
};

function troubleText({ kind, message, ageMs }: Trouble, paint: Paint): string {
  const age = ageMs === null ? '' : ` ${coarse(ageMs)} ago`;
  return `${paint('red', `${TROUBLES[kind]}${age}:`)} ${printable(message)}`;
}

function stateText({ state }: RunPanel, paint: Paint): string {
  return paint(state === 'running' ? 'green' : state === 'idle' ? 'dim' : 'yellow', state);
}

function dueText(ms: number): string {
  return ms === 0 ? 'due now' : `in ${coarse(ms)}`;
}

/** To the second from one on: digits that flicker tell nobody anything. */
function coarse(ms: number): string {
  return formatDuration(ms < 1_000 ? ms : Math.floor(ms / 1_000) * 1_000);
}
