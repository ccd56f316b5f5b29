/** What a look into a process found, for people. */
import { formatCount, formatDuration, formatSize } from '../../base/units.js';
import { printable } from '../../base/printable.js';
import type { Handle, Inspection, ThreadInspection } from '../inspection.js';
import { awaitLines } from './await-lines.js';
import {
  countText,
  frameText,
  nameText,
  placeText,
  tasksText,
  threadLabel,
  timesText,
  type Color,
  type Paint,
} from './phrases.js';

const MAX_FRAMES = 15;
const MAX_HANDLES = 10;
/** Characters of a note, which may hold what others wrote. */
const MAX_NOTE = 1_000;
/** Sockets with one address that are told one by one up to here. */
const MIN_CLIENTS = 3;
/** Threads that are named, where several are told of at once. */
const MAX_NAMED = 5;

export interface RenderOptions {
  /** Default: no colours. */
  paint?: Paint;
  /** Whether to leave nothing out. By default a tree, a stack and a list are as long as a screen can bear. Default false. */
  all?: boolean;
  /** How the reader gets what is left out, put behind it in brackets: `--all shows them`. Default: that is not told. */
  hint?: string;
  /**
   * How the reader gets what a thread awaits whose heap was not walked through, where that was the limit: such as
   * `--max-pause 2s shows it`. Told how long the walk was expected to take. Default: that is not told.
   */
  howToSee?: (predictedMs: number) => string | undefined;
}

type Options = Required<Omit<RenderOptions, 'hint'>> & { hint: string | undefined };

/**
 * The process in a sentence; then each thread with its state, what it runs,
 * who awaits what in it, and its open handles. Ends with a newline. Places are
 * told from the working directory of this process where that is shorter.
 */
export function renderInspection(
  inspection: Inspection,
  { paint = plain, all = false, hint, howToSee = () => undefined }: RenderOptions,
): string {
  const options: Options = { paint, all, hint, howToSee };
  const { pid, node, command, takenAt, tookMs, threads, notes } = inspection;
  const taken = paint('dim', `${takenAt}, took ${formatDuration(tookMs)}`);
  const head = [`process ${pid}, node ${printable(node)}: ${printable(command)}  ${taken}`];
  if (threads.length > 1) head.push(sentence(threads, paint));
  head.push(...notes.map((note) => noteLine(note, paint)));
  const blocks = alike(threads, (thread) => body(thread, options)).map(({ members, lines }) =>
    [headline(members, paint), ...lines.map((line) => `  ${line}`)].join('\n'),
  );
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}

function plain(_color: Color, text: string): string {
  return text;
}

/** `worker 1 runs spin (app.js:12:5); main and worker 2 wait` */
function sentence(threads: readonly ThreadInspection[], paint: Paint): string {
  const busy = threads
    .filter(({ state }) => state !== 'waiting')
    .map((thread) => `${threadLabel(thread)} ${paint(STATE_COLORS[thread.state], doing(thread))}`);
  const waiting = threads.filter(({ state }) => state === 'waiting').map(threadLabel);
  const parts = busy.slice(0, MAX_NAMED);
  if (busy.length > parts.length) parts.push(`so do ${formatCount(busy.length - parts.length)} more`);
  if (waiting.length > 0) parts.push(`${named(waiting)} ${waiting.length === 1 ? 'waits' : 'wait'}`);
  return parts.join('; ');
}

function doing({ state, stack, blockedIn }: ThreadInspection): string {
  // What is V8's own has no place, and stands on top of whoever called it.
  const frame = stack.find(({ place }) => place !== null) ?? stack[0];
  const where = frame?.place ? ` (${placeText(frame.place)})` : '';
  if (state === 'blocked') return `is blocked${blockedIn === undefined ? '' : ` in ${printable(blockedIn)}`}${where}`;
  return frame === undefined ? 'runs' : `runs ${nameText(frame.name)}${where}`;
}

const STATE_COLORS = { running: 'yellow', waiting: 'green', blocked: 'red' } as const;

/** Threads that wait for the same, as idle ones of a pool do, are told of once. */
function alike(
  threads: readonly ThreadInspection[],
  linesOf: (thread: ThreadInspection) => string[],
): { members: ThreadInspection[]; lines: string[] }[] {
  const groups = new Map<string, { members: ThreadInspection[]; lines: string[] }>();
  for (const thread of threads) {
    const lines = linesOf(thread);
    const key = thread.state === 'waiting' ? lines.join('\n') : String(thread.threadId);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { members: [thread], lines });
    else group.members.push(thread);
  }
  return [...groups.values()];
}

/** `worker 1  running, heap 5.1MB, paused 40ms (35ms predicted)`; of several, the most of each. */
function headline(members: readonly ThreadInspection[], paint: Paint): string {
  const [{ state, blockedIn }] = members as [ThreadInspection];
  const most = (valueOf: (thread: ThreadInspection) => number | null) => {
    const values = members.map(valueOf).filter((value) => value !== null);
    return values.length === 0 ? null : Math.max(...values);
  };
  const heap = most(({ heapUsed }) => heapUsed);
  const measured = most(({ pause }) => pause.measuredMs);
  const predicted = most(({ pause }) => pause.predictedMs);
  const upTo = members.length > 1 ? 'up to ' : '';
  const words = [paint(STATE_COLORS[state], blockedIn === undefined ? state : `${state} in ${printable(blockedIn)}`)];
  if (heap !== null) words.push(`heap ${upTo}${formatSize(heap)}`);
  const foretold = predicted === null ? '' : ` (${formatDuration(predicted)} predicted)`;
  if (measured !== null) words.push(`paused ${upTo}${formatDuration(measured)}${foretold}`);
  return `${paint('cyan', named(members.map(threadLabel)))}  ${words.join(', ')}`;
}

function body(thread: ThreadInspection, options: Options): string[] {
  const { paint, all, hint } = options;
  const { stack, awaits, handles, notes } = thread;
  return [
    ...notes.map((note) => noteLine(note, paint)),
    ...limitLines(thread, options),
    ...untoldTasks(thread).map((text) => `runs ${paint('yellow', text)}`),
    ...bounded(
      stack.map((frame, index) =>
        index === 0 ? paint('yellow', `at ${frameText(frame, plain)}`) : `at ${frameText(frame, paint)}`,
      ),
      all ? Infinity : MAX_FRAMES,
      options,
    ),
    ...awaitsHeader(thread, options),
    ...awaitLines(awaits, { paint, all, hint }),
    ...handleLines(handles, options),
  ];
}

function limitLines({ suspended, pause: { predictedMs } }: ThreadInspection, { howToSee, paint }: Options): string[] {
  const how = suspended === null && predictedMs !== null ? howToSee(predictedMs) : undefined;
  return how === undefined ? [] : [paint('yellow', `  (${how})`)];
}

/** Tasks that are not told where they wait: they compute, or their awaits are not known. */
function untoldTasks({ tasks = [], awaits }: ThreadInspection): string[] {
  const told = new Set(awaits.flatMap((branch) => (branch.tasks ?? []).map(({ id }) => id)));
  const untold = tasks.filter(({ id }) => !told.has(id));
  return untold.length === 0 ? [] : [tasksText(untold, untold.length)];
}

function awaitsHeader({ awaits, suspended, hidden }: ThreadInspection, { paint, hint }: Options): string[] {
  // Its heap was not walked through: a note tells why.
  if (suspended === null) return [];
  const internal = `${formatCount(hidden)} internal${hint === undefined ? '' : ` (${hint})`}`;
  if (awaits.length === 0) return [paint('dim', hidden > 0 ? `nothing awaited but ${internal}` : 'nothing awaited')];
  const shown = countText(suspended - hidden, 'suspended function');
  return [paint('dim', hidden > 0 ? `${shown}, and ${internal}` : shown)];
}

function handleLines(handles: readonly Handle[], options: Options): string[] {
  if (handles.length === 0) return [];
  const { paint, all } = options;
  const lines = (all ? handles : foldedPeers(handles)).map(({ what, count, keepsAlive }) => {
    const text = `${printable(what)}${timesText(count)}`;
    return `  ${keepsAlive ? text : paint('dim', `${text} (unref'd)`)}`;
  });
  return [paint('dim', 'open handles'), ...bounded(lines, all ? Infinity : MAX_HANDLES, options)];
}

/** Sockets of many clients, each at a port of its own, are one line for each address. */
function foldedPeers(handles: readonly Handle[]): Handle[] {
  const folded = new Map<string, Handle[]>();
  for (const handle of handles) {
    const isClient = handle.kind === 'socket' && handle.count === 1;
    const what = isClient ? handle.what.replace(/:\d+$/, ':*') : handle.what;
    const key = `${what} ${handle.keepsAlive}`;
    const known = folded.get(key);
    if (known === undefined) folded.set(key, [handle]);
    else known.push(handle);
  }
  return [...folded.values()].flatMap((alike) =>
    alike.length < MIN_CLIENTS
      ? alike
      : [{ ...alike[0]!, what: alike[0]!.what.replace(/\d+$/, '*'), count: alike.length }],
  );
}

function bounded(lines: readonly string[], limit: number, { paint, hint }: Options): string[] {
  if (lines.length <= limit) return [...lines];
  const more = `  … ${formatCount(lines.length - limit)} more${hint === undefined ? '' : ` (${hint})`}`;
  return [...lines.slice(0, limit), paint('dim', more)];
}

function noteLine(note: string, paint: Paint): string {
  return paint('yellow', `note: ${printable(note, MAX_NOTE)}`);
}

/** `main`; `main and worker 1`; `worker 1, worker 2, … and 4 more`. */
function named(labels: readonly string[]): string {
  const shown = labels.length > MAX_NAMED ? labels.slice(0, MAX_NAMED - 2) : labels;
  const words = shown.length < labels.length ? [...shown, `${formatCount(labels.length - shown.length)} more`] : shown;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
