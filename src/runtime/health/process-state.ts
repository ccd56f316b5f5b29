import { readFileSync } from 'node:fs';

/** A process as the kernel shows it. */
export interface ProcessState {
  /** One letter: `R` runs, `S` and `D` wait, `T` and `t` are stopped, `Z` and `X` are dead. */
  letter: string;
  /** Process id of its parent. */
  parent: number;
  /** When it was started, in clock ticks since the system was: another process with the same pid has another one. */
  startTicks: number;
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
  // Of all fields these are 3, 4 and 22, see proc(5).
  return { letter: fields[0]!, parent: Number(fields[1]), startTicks: Number(fields[19]) };
}
