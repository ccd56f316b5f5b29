/** Who listens where, by TCP, as Linux tells. */
import { linkOf, readdirOf, textOf } from './target-process.js';

/** Listening, in the column `st` of /proc/net/tcp. */
const LISTENING = '0A';

export interface Listener {
  /** Where it is reached: `127.0.0.1`, `::1`. */
  host: string;
  port: number;
}

/** Where a process listens: it, and no other one. */
export function listenersOf(pid: number): Listener[] {
  const sockets = socketsOf(pid);
  return sockets.size === 0 ? [] : allListeners(pid).filter(({ inode }) => sockets.has(inode));
}

/** Who listens at a port of this machine, besides `except`: its pid, or `unknown`, as that of another user is. */
export function holderOf(port: number, except: number): number | 'unknown' | undefined {
  const sockets = socketsOf(except);
  const inodes = allListeners('self').filter((listener) => listener.port === port && !sockets.has(listener.inode));
  if (inodes.length === 0) return undefined;
  const isIt = (pid: string) => inodes.some(({ inode }) => socketsOf(pid).has(inode));
  const pid = readdirOf('/proc').find((name) => /^\d+$/.test(name) && isIt(name));
  return pid === undefined ? 'unknown' : Number(pid);
}

function socketsOf(pid: number | string): Set<string> {
  const inodes = new Set<string>();
  for (const fd of readdirOf(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** All in the network of a process. */
function allListeners(pid: number | 'self'): (Listener & { inode: string })[] {
  return ['tcp', 'tcp6'].flatMap((table) =>
    textOf(`/proc/${pid}/net/${table}`)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENING)
      .map((fields) => {
        const [address, port] = fields[1]!.split(':') as [string, string];
        return { host: reachedAt(address), port: Number.parseInt(port, 16), inode: fields[9]! };
      }),
  );
}

/** From words of 32 bits in hexadecimal, each with its lowest byte first. */
function reachedAt(address: string): string {
  const bytes = address.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  // All zeros: at every address.
  if (bytes.every((byte) => byte === '00')) return bytes.length === 4 ? '127.0.0.1' : '::1';
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return bytes.join('').match(/.{4}/g)!.join(':');
}
