/** A process that is to be looked into, as the system shows it. Only Linux shows that much. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Number of SIGUSR1 on Linux. */
const SIGUSR1 = 10;

export interface TargetProcess {
  pid: number;
  /** As it knows itself: another one than `pid` when it is in a container. */
  innerPid: number;
  /** Of the process, when `pid` is one of its threads; else the same. */
  leader: number;
  uid: number;
  gid: number;
  /** One letter: `R` runs, `S` and `D` wait, `T` and `t` are stopped, `Z` and `X` are dead. */
  letter: string;
  /** Whether a SIGUSR1 is caught: one that does not, and does not block it, is ended by it. */
  catchesUsr1: boolean;
  /** Whether a SIGUSR1 waits until it is wanted, which may be never. */
  blocksUsr1: boolean;
  /** When it was started, in clock ticks since the system was: another process with the same pid has another one. */
  startTicks: number;
  /** Name of its program: `node`. */
  program: string;
}

/** `undefined` when there is none, or no `/proc`. */
export function targetProcess(pid: number): TargetProcess | undefined {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(status)?.[1];
  const letter = field('State')?.[0];
  if (letter === undefined) return undefined;
  const stat = textOf(`/proc/${pid}/stat`);
  const exe = linkOf(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  return {
    pid,
    letter,
    innerPid: Number(field('NSpid')?.split(/\s+/).at(-1) ?? pid),
    leader: Number(field('Tgid')),
    uid: Number.parseInt(field('Uid')!, 10),
    gid: Number.parseInt(field('Gid')!, 10),
    catchesUsr1: holdsUsr1(field('SigCgt')),
    blocksUsr1: holdsUsr1(field('SigBlk')),
    // The 22nd; the second one is the name of the program, in brackets, and may hold anything.
    startTicks: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]),
    // What another user runs is not told, but how it is called is.
    program: basename(exe) || field('Name')!,
  };
}

/** @param signals a bit each, in hexadecimal digits */
function holdsUsr1(signals = '0'): boolean {
  return (BigInt(`0x${signals}`) >> BigInt(SIGUSR1 - 1)) % 2n === 1n;
}

/** Whether it still runs: the same one, not a later one with its pid. */
export function isAlive({ pid, startTicks }: Pick<TargetProcess, 'pid' | 'startTicks'>): boolean {
  const now = targetProcess(pid);
  return now !== undefined && now.startTicks === startTicks && now.letter !== 'Z' && now.letter !== 'X';
}

/** Its words, and the options that it takes from its environment. */
export function wordsOf(pid: number): string[] {
  const environment = textOf(`/proc/${pid}/environ`).split('\0');
  const options = environment.find((entry) => entry.startsWith('NODE_OPTIONS='))?.slice('NODE_OPTIONS='.length) ?? '';
  return [...textOf(`/proc/${pid}/cmdline`).split('\0'), ...options.split(/\s+/)].filter(Boolean);
}

/** Whether it is Node, or a program that was made of one. */
export function isNode({ pid, program }: TargetProcess): boolean {
  if (/^node(js)?([-.\d]*)$/.test(program)) return true;
  try {
    // In every Node since 19.7: where a program that is made of it finds its script.
    return readFileSync(`/proc/${pid}/exe`).includes('NODE_SEA_FUSE_');
  } catch {
    return false;
  }
}

/** Its children, their children, and so on, but for `except` and what is below that. */
export function descendantsOf(pid: number, except?: number): TargetProcess[] {
  const children = readdirOf(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => {
    const found = child === except ? undefined : targetProcess(child);
    return found === undefined ? [] : [found, ...descendantsOf(child, except)];
  });
}

/** Who started it, who started that, and so on. */
export function ancestorsOf(pid: number): number[] {
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
  return parent === 0 ? [] : [parent, ...ancestorsOf(parent)];
}

/** Whether it is in the same namespace as this process: `net` for its ports, `mnt` for its files. */
export function sharesNamespace(pid: number, kind: 'net' | 'mnt'): boolean {
  return linkOf(`/proc/${pid}/ns/${kind}`) === linkOf(`/proc/self/ns/${kind}`);
}

export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function readdirOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

export function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
