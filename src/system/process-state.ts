import { readdirSync, readFileSync } from 'node:fs';

/** A process as the kernel shows it. */
export interface ProcessState {
  /** Of its program: at most 15 characters, which may be any. */
  name: string;
  /** One letter: `R` runs, `S` and `D` wait, `T` and `t` are stopped, `Z` and `X` are dead. */
  letter: string;
  /** Process id of its parent. */
  parent: number;
  /** Id of its process group: the pid of the process that leads it, or led it. */
  group: number;
  /** Id of its session. */
  session: number;
  /** When it was started, in clock ticks since the system was: another process with the same pid has another one. */
  startTicks: number;
}

export interface Process extends ProcessState {
  pid: number;
}

/** What the kernel says of a process; `undefined` when there is none, or no `/proc` (anywhere but on Linux). */
export function processState(pid: number | 'self'): ProcessState | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the name of the program, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Of all fields these are 3 to 6 and 22, see proc(5).
  const [parent, group, session] = fields.slice(1, 4).map(Number) as [number, number, number];
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  return { name, letter: fields[0]!, parent, group, session, startTicks: Number(fields[19]) };
}

/** All processes that live, those of others too; none where there is no `/proc`. */
export function livingProcesses(): Process[] {
  const processes: Process[] = [];
  for (const pid of processIds()) {
    const state = processState(pid);
    if (state !== undefined && state.letter !== 'Z' && state.letter !== 'X') processes.push({ pid, ...state });
  }
  return processes;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}
