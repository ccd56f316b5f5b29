/** Finds and ends what a task has started, and all that this has started in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasMark } from './marker.js';
import { livingProcesses, type Process } from '../../system/process-state.js';
import { sendSignal } from '../../system/send-signal.js';

/** A process group, known by the process that leads it, or led it. */
export interface Group {
  /** Its id: the pid of its leader. */
  id: number;
  /** When its leader started; another process with this pid is not ours. 0 where there is no `/proc`. */
  startTicks: number;
}

/** Whose children are meant: those with this mark in their environment, and those in these groups. */
export interface Children {
  mark: string;
  groups: readonly Group[];
  /** None of them was started before: the environments of older processes need not be read. */
  sinceTicks?: number;
}

/** What became of children that were ended. */
export interface Ended {
  /** All that were asked to end. */
  asked: Process[];
  /** Those that live on: another user's, or in the kernel, which no signal reaches. */
  left: Process[];
}

/** After SIGKILL a process is gone in a moment, unless the kernel has it wait for a device. In ms. */
const KILL_DEADLINE_MS = 2_000;

/** Between two looks whether they have ended, in ms: first so much, twice as much each time, up to the other. */
const FIRST_LOOK_MS = 2;
const LOOK_MS = 50;

/** Those that live. Where there is no `/proc`, a process group stands for its members. */
function findChildren({ mark, groups, sinceTicks = 0 }: Children): Process[] {
  const processes = livingProcesses();
  if (processes.length === 0) return groups.filter(groupLives).map(asProcess);
  const ours = idsOf(groups, processes);
  const marked = processes.filter(({ pid, startTicks }) => startTicks >= sinceTicks && hasMark(pid, mark));
  // A program that was just started may not be told of yet, and its group have members without our environment.
  for (const { group } of marked) ours.add(group);
  const own = processes.find(({ pid }) => pid === process.pid);
  if (own !== undefined) ours.delete(own.group);
  const found = new Set([...marked, ...processes.filter(({ group }) => ours.has(group))]);
  if (own !== undefined) found.delete(own);
  return [...found];
}

/** Those that live in a group; none where there is no `/proc`. */
export function membersOf(group: Group): Process[] {
  const processes = livingProcesses();
  const ours = idsOf([group], processes);
  return processes.filter((one) => ours.has(one.group));
}

/** As long as a group has members, no process gets its number: where another one has it, the group is gone. */
function idsOf(groups: readonly Group[], processes: readonly Process[]): Set<number> {
  const started = new Map(groups.map(({ id, startTicks }) => [id, startTicks]));
  for (const { pid, startTicks } of processes) {
    if (started.has(pid) && started.get(pid) !== startTicks) started.delete(pid);
  }
  return new Set(started.keys());
}

/**
 * Ends them: SIGTERM to each, and SIGKILL to who lives on after the grace. Looks
 * again until none is left, as they may start others meanwhile. Never rejects.
 *
 * @param asked those that have got their SIGTERM: two of them mean haste to many programs
 */
export async function endChildren(children: Children, graceMs: number, asked = new Asked()): Promise<Ended> {
  const begunAt = performance.now();
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(2 * wait, LOOK_MS)) {
    const found = findChildren(children);
    const sinceMs = performance.now() - begunAt;
    if (found.length === 0 || sinceMs > graceMs + KILL_DEADLINE_MS) return { asked: asked.all, left: found };
    const kill = sinceMs >= graceMs;
    for (const child of found) {
      if (asked.add(child)) sendSignal(child.pid, 'SIGTERM');
      if (kill) sendSignal(child.pid, 'SIGKILL');
      // One that is stopped hears of it when it goes on.
      else if (child.letter === 'T') sendSignal(child.pid, 'SIGCONT');
    }
    await sleep(wait);
  }
}

/** Processes that were asked to end. */
export class Asked {
  readonly #processes = new Map<string, Process>();

  get all(): Process[] {
    return [...this.#processes.values()];
  }

  /** Gives whether it is new. */
  add(child: Process): boolean {
    const key = `${child.pid} ${child.startTicks}`;
    if (this.#processes.has(key)) return false;
    this.#processes.set(key, child);
    return true;
  }
}

export function groupLives({ id }: Group): boolean {
  try {
    process.kill(-id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function asProcess({ id, startTicks }: Group): Process {
  return { pid: -id, name: 'process group', letter: 'S', parent: 0, group: id, session: 0, startTicks };
}
