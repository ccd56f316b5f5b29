/**
 * Who holds a lock, as one line of JSON at the start of the lock file. It
 * informs people and is never asked whether the lock is held. It stays
 * readable after an unclean end.
 */
import { fstatSync, ftruncateSync, readFileSync, readSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { processState } from '../process-state.js';
import { pause } from './pause.js';

/** The details in a lock file: who holds the lock, or held it last. */
export interface LockHolder {
  /** Version of this shape. */
  schema: number;
  runId: string;
  /** `pid@hostname`. */
  executorId: string;
  pid: number;
  hostname: string;
  /** Folder the holder was started in. */
  cwd: string;
  /** When the lock was acquired, ISO 8601 in UTC. */
  startedAt: string;
  /** Path of the socket that steers the run, once it listens. */
  controlSocket?: string;
  /** Names the start of the system under which the holder ran; Linux only. */
  bootId?: string;
  /** Whether the holder was asked to end: what kills it then most likely ran out of patience. */
  stopping?: boolean;
}

const UNKNOWN = 'unknown';

export function thisProcess(runId: string): LockHolder {
  const host = hostname();
  return {
    schema: 1,
    runId,
    executorId: `${process.pid}@${host}`,
    pid: process.pid,
    hostname: host,
    cwd: process.cwd(),
    startedAt: new Date().toISOString(),
    ...(BOOT_ID !== undefined && { bootId: BOOT_ID }),
  };
}

/** Differs after each start of the system; the same in all its containers. */
export const BOOT_ID = readBootId();

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Only for whoever holds the lock. The new line is written over the old one
 * before the rest is cut off: at no moment does the file say nothing, and a
 * reader looks at the first line only.
 */
export function writeHolder(fd: number, holder: LockHolder): void {
  const line = Buffer.from(`${JSON.stringify(holder)}\n`);
  // `fd` may be shared with another process, so its own position means nothing.
  for (let at = 0; at < line.length;) at += writeSync(fd, line, at, line.length - at, at);
  if (fstatSync(fd).size > line.length) ftruncateSync(fd, line.length);
}

/** Whether the process is known to have ended that holds the lock, or held it last. */
export function isGone(holder: LockHolder | undefined): boolean {
  if (holder === undefined || holder.hostname !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // One that is dead and that its parent has not asked about.
  return /[ZX]/.test(processState(holder.pid)?.letter ?? '');
}

// A line has a path of up to 4 KiB twice, each byte up to six when escaped.
const LONGEST_LINE = 64 * 1024;

/** `undefined` when the file says nothing that can be understood. */
export function readHolder(fd: number): LockHolder | undefined {
  const buffer = Buffer.allocUnsafe(LONGEST_LINE);
  // A new holder may be writing at this moment; that takes microseconds.
  for (let tries = 0; tries < 5; tries++) {
    if (tries > 0) pause(1);
    const holder = parseHolder(buffer.toString('utf8', 0, readSync(fd, buffer, 0, LONGEST_LINE, 0)));
    if (holder) return holder;
  }
  return undefined;
}

/** Lenient, since another version may have written it: only pid and hostname must be there. */
export function parseHolder(content: string): LockHolder | undefined {
  const end = content.indexOf('\n');
  if (end < 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content.slice(0, end));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const { schema, pid, hostname: host, controlSocket, bootId, stopping } = fields;
  if (typeof pid !== 'number' || typeof host !== 'string') return undefined;
  const text = (key: string, otherwise = UNKNOWN) => {
    const field = fields[key];
    return typeof field === 'string' ? field : otherwise;
  };
  return {
    schema: typeof schema === 'number' ? schema : 1,
    runId: text('runId'),
    executorId: text('executorId', `${pid}@${host}`),
    pid,
    hostname: host,
    cwd: text('cwd'),
    startedAt: text('startedAt'),
    ...(typeof controlSocket === 'string' && { controlSocket }),
    ...(typeof bootId === 'string' && { bootId }),
    ...(typeof stopping === 'boolean' && { stopping }),
  };
}
