import { createRequire } from 'node:module';
import type { Options, ResultPromise } from 'execa';
import {
  Asked,
  endChildren,
  groupLives,
  membersOf,
  type Children,
  type Ended,
  type Group,
} from '../processes/children.js';
import { marked } from '../processes/marker.js';
import { processState } from '../../system/process-state.js';
import { sendSignal } from '../../system/send-signal.js';
import { post } from './link.js';
import { atomicsLoad, atomicsWait } from './own.js';
import type { ChildSettings } from './protocol.js';

/** What execa takes, without what ties a child to its task: that is ours to set. */
export type ChildOptions = Omit<
  Options,
  'detached' | 'cancelSignal' | 'gracefulCancel' | 'cleanup' | 'killSignal' | 'forceKillAfterDelay'
>;

/** Starts a program; without `args`, the options may come second. */
export interface StartChild {
  <Given extends ChildOptions = object>(file: string | URL, options?: Given): ResultPromise<Given>;
  <Given extends ChildOptions = object>(
    file: string | URL,
    args: readonly string[],
    options?: Given,
  ): ResultPromise<Given>;
}

export type StartArguments = [
  file: string | URL,
  argsOrOptions?: readonly string[] | ChildOptions,
  options?: ChildOptions,
];

type Execa = (file: string | URL, args: readonly string[], options: Options) => ResultPromise;

/** Of the grace, children get the first half. The rest is their handler's, to come to its end without them. */
const SHARE_OF_GRACE = 0.5;

/** How long a thread waits for the process that ends children when this one dies, in ms. */
const REAPER_WAIT_MS = 2_000;

/** A message that names more of them is no longer read. */
const NAMED = 5;

let settings: ChildSettings | undefined;
let taskNumber = 0;
let execa: Execa | undefined;

/** To be called once in each thread, before any task. */
export function configureChildren(given: ChildSettings): void {
  settings = given;
}

/** It takes 50 ms to load, and most handlers never start a program. It is to start at once, so it cannot be imported. */
function loadExeca(): Execa {
  execa ??= (createRequire(import.meta.url)('execa') as { execa: Execa }).execa;
  return execa;
}

/** The processes that one attempt at a task has started. */
export class TaskChildren {
  readonly #of: { readonly taskId: string; readonly attempt: number };
  readonly #signal: AbortSignal;
  readonly #children: Children & { groups: Group[]; sinceTicks?: number };
  readonly #asked = new Asked();
  readonly #running = new Set<ResultPromise>();
  readonly #graceMs: number;
  #closed = false;

  /** @param of whose they are */
  constructor(of: { readonly taskId: string; readonly attempt: number }, signal: AbortSignal) {
    const { mark, graceMs, reaper } = settings!;
    this.#of = of;
    this.#signal = signal;
    this.#graceMs = graceMs * SHARE_OF_GRACE;
    this.#children = { mark: `${mark}.${++taskNumber}`, groups: [] };
    startReaper(reaper);
    signal.addEventListener('abort', () => void this.#end(), { once: true });
  }

  /** @param stdin where the options do not say: a program that nobody writes to would wait for ever */
  start(stdin: 'pipe' | 'ignore', ...[file, second = [], third = {}]: StartArguments): ResultPromise {
    if (this.#closed) throw new Error('the task has ended: its children would have nobody to end them');
    this.#signal.throwIfAborted();
    const [args, given] = Array.isArray(second)
      ? [second as string[], third]
      : [[] as string[], second as ChildOptions];
    const child = loadExeca()(file, args, {
      ...(hasStdin(given) ? {} : { stdin }),
      ...given,
      ...throughTask(given),
      env: { ...given.env, ...marked(this.#children.mark) },
      detached: true,
      cancelSignal: this.#signal,
      forceKillAfterDelay: false,
    });
    if (child.pid !== undefined) this.#keep(child, child.pid);
    return child;
  }

  /**
   * No more can be started. Resolves once none is left: what still runs is
   * ended, and told of unless the task was aborted. Never rejects.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const { asked, left } = await this.#end();
    if (asked.length > 0 && !this.#signal.aborted) this.#warn('ended what the task had left running', asked);
    if (left.length > 0) this.#warn('could not end what the task has started', left);
    for (const group of this.#children.groups.splice(0)) post({ type: 'child-gone', group: group.id });
  }

  #keep(child: ResultPromise, pid: number): void {
    const group: Group = { id: pid, startTicks: processState(pid)?.startTicks ?? 0 };
    this.#children.groups.push(group);
    this.#children.sinceTicks ??= group.startTicks;
    this.#running.add(child);
    post({ type: 'child', group });
    child.kill = this.#killGroup(child, group);
    child.once('exit', () => {
      this.#running.delete(child);
      // Whoever starts thousands in one task need not have them all looked after until its end.
      if (groupLives(group)) return;
      this.#children.groups.splice(this.#children.groups.indexOf(group), 1);
      post({ type: 'child-gone', group: group.id });
    });
  }

  /** Instead of `child.kill`, which execa calls, too: all of the group is meant. */
  #killGroup(child: ResultPromise, group: Group): ResultPromise['kill'] {
    const killLeader = child.kill.bind(child) as (...given: unknown[]) => boolean;
    return (...given: unknown[]) => {
      // Then all have got their SIGTERM from us; to many programs a second one means haste.
      if (this.#signal.aborted && given.length === 0) return true;
      const signal = given.find((one) => typeof one !== 'object') ?? 'SIGTERM';
      for (const { pid } of membersOf(group)) if (pid !== group.id) sendSignal(pid, signal as NodeJS.Signals);
      return killLeader(...given);
    };
  }

  #end(): Promise<Ended> {
    // Those that nobody awaits are no fault of the thread, now that we end them.
    for (const child of this.#running) child.catch(() => {});
    return endChildren(this.#children, this.#graceMs, this.#asked);
  }

  #warn(what: string, processes: Ended['asked']): void {
    const named = processes.slice(0, NAMED).map(({ name, pid }) => `${name} (${pid})`);
    const more = processes.length > NAMED ? ` and ${processes.length - NAMED} more` : '';
    const { taskId, attempt } = this.#of;
    post({ type: 'log', level: 'warn', taskId, attempt, message: `${what}: ${named.join(', ')}${more}` });
  }
}

/** The first child of the executor waits until there is a process that ends it, whatever becomes of us. */
function startReaper(state: Int32Array): void {
  if (atomicsLoad(state, 0) === 1) return;
  post({ type: 'reaper' });
  atomicsWait(state, 0, 0, REAPER_WAIT_MS);
}

function hasStdin({ stdin, stdio, input, inputFile }: ChildOptions): boolean {
  return [stdin, stdio, input, inputFile].some((given) => given !== undefined);
}

/**
 * What a child is to print where its task does: 'inherit' alone would be the
 * process's own output. In a list, execa passes it through the streams of this thread.
 */
function throughTask({ stdout, stderr, stdio }: ChildOptions): Partial<Options> {
  const through = (stream: unknown) => (stream === 'inherit' || stream === 1 || stream === 2 ? [stream] : stream);
  const all: unknown = stdio === 'inherit' ? ['inherit', 'inherit', 'inherit'] : stdio;
  const mapped: Record<string, unknown> = {};
  if (stdout !== undefined) mapped['stdout'] = through(stdout);
  if (stderr !== undefined) mapped['stderr'] = through(stderr);
  if (Array.isArray(all)) mapped['stdio'] = [all[0], ...all.slice(1).map(through)];
  return mapped;
}
