/** A process that is to be looked into, as the system shows it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Number of SIGUSR1 on Linux. */
const SIGUSR1 = 10;

/** Listening, in the column `st` of /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Whether a process catches SIGUSR1. One that does not is ended by it: any
 * program but Node, most likely, or Node with `--disable-sigusr1`.
 * `undefined` where the system does not tell.
 */
export function catchesUsr1(pid: number): boolean | undefined {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  if (mask === undefined) return undefined;
  return (BigInt(`0x${mask}`) >> BigInt(SIGUSR1 - 1)) % 2n === 1n;
}

/** TCP ports at which a process listens: it, and no other one. Only Linux tells. */
export function portsOf(pid: number): number[] {
  const inodes = new Set<string>();
  for (const fd of readdirOf(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const ports = new Set<number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of textOf(`/proc/${pid}/net/${table}`).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [local, state, inode] = [fields[1], fields[3], fields[9]];
      if (state === LISTENING && inodes.has(inode!)) ports.add(Number.parseInt(local!.split(':')[1]!, 16));
    }
  }
  return [...ports];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readdirOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
