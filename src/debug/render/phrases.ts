/** Parts of an inspection in words. What the process that is looked at has named steers no terminal. */
import { relative } from 'node:path';
import { printable } from '../../base/printable.js';
import { formatCount, formatDuration } from '../../base/units.js';
import type { AwaitBranch, Frame, Leaf, Place, Step, TaskReference, ThreadInspection } from '../inspection.js';

export type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'dim';
/** Gives `text` so that a terminal shows it in that color; or as it is. */
export type Paint = (color: Color, text: string) => string;

/** Tasks that are named of those that stand at the same place. */
const MAX_TASKS = 3;

/** As editors and terminals take it: `src/app.js:12:5`; from the working directory where that is shorter. */
export function placeText({ file, line, column }: Place): string {
  const near = file.startsWith('/') ? relative('', file) : file;
  return `${printable(near.length < file.length ? near : file)}:${line}:${column}`;
}

export function nameText(name: string): string {
  return name === '' ? '(anonymous)' : printable(name);
}

export function frameText({ name, place }: Frame, paint: Paint): string {
  return place === null ? nameText(name) : `${nameText(name)}  ${paint('dim', placeText(place))}`;
}

/** `main`, `worker 1`, `worker 1 (indexer)`. */
export function threadLabel({ threadId, name }: ThreadInspection): string {
  if (threadId === 0) return 'main';
  const label = `worker ${threadId}`;
  return name === '' || name.toLowerCase() === label ? label : `${label} (${printable(name)})`;
}

/** `Promise.all ▸ fetchUser ×1,000  src/users.js:8:11` */
export function branchText(branch: AwaitBranch, paint: Paint): string {
  const { via, name, count, at, definedAt, circular, omitted } = branch;
  const place = at ?? definedAt;
  const where = place === null ? '' : `  ${paint('dim', `${at === null ? 'written at ' : ''}${placeText(place)}`)}`;
  const circle = circular ? paint('red', '  waits for itself') : '';
  const gap = omitted === undefined ? '' : paint('dim', `  (${formatCount(omitted)} more in between)`);
  return `${stepsText(via, paint)}${nameText(name)}${timesText(count)}${where}${circle}${gap}`;
}

export function leafText({ via, what, count }: Leaf, paint: Paint): string {
  return `${stepsText(via, paint)}${paint('green', `${printable(what)}${timesText(count)}`)}`;
}

/** `task "a" (handler resize, attempt 1, 12s)`; of several, the first ones and the age of the oldest. */
export function tasksText(tasks: readonly TaskReference[], count: number): string {
  const named = tasks.slice(0, MAX_TASKS).map(({ id }) => JSON.stringify(printable(id)));
  const more = Math.max(count, tasks.length) - named.length;
  const ids = more > 0 ? `${named.join(', ')} and ${formatCount(more)} more` : named.join(', ');
  const handlers = [...new Set(tasks.map(({ handler }) => printable(handler)))];
  const attempts = [...new Set(tasks.map(({ attempt }) => attempt))];
  const oldest = formatDuration(Math.max(0, ...tasks.map(({ ageMs }) => ageMs)));
  const about = [
    `handler ${handlers.slice(0, MAX_TASKS).join(', ')}`,
    attempts.length === 1 ? `attempt ${attempts[0]}` : `attempts ${Math.min(...attempts)} to ${Math.max(...attempts)}`,
    named.length + more === 1 ? oldest : `the oldest ${oldest}`,
  ];
  return `${named.length + more === 1 ? 'task' : 'tasks'} ${ids} (${about.join(', ')})`;
}

export function timesText(count: number): string {
  return count === 1 ? '' : ` ×${formatCount(count)}`;
}

/** `1 suspended function`, `2,000 suspended functions`. */
export function countText(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** That a promise was resolved with another one tells nobody anything, nor how often `then` was called in a row. */
function stepsText(via: readonly Step[], paint: Paint): string {
  return via
    .filter((step) => step !== 'adopted')
    .filter((step, index, steps) => step !== steps[index - 1])
    .map((step) => paint('cyan', `${step} ▸ `))
    .join('');
}
