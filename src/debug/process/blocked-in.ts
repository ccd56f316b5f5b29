import { targetProcess, textOf } from './target-process.js';

const CHILD = 'for a child process: execSync, spawnSync';
const DISK = 'for a disk';
const FILE_LOCK = 'for the lock of a file';

/** Calls of the system in which threads are known to stand still: their numbers, and for what they wait most likely. */
const CALLS = [
  { name: 'clock_nanosleep', x64: 230, arm64: 115, waits: 'it sleeps' },
  { name: 'connect', x64: 42, arm64: 203, waits: 'for the other end of a connection' },
  { name: 'epoll_pwait', x64: 281, arm64: 22, waits: CHILD },
  { name: 'epoll_wait', x64: 232, waits: CHILD },
  { name: 'fcntl', x64: 72, arm64: 25, waits: FILE_LOCK },
  { name: 'fdatasync', x64: 75, arm64: 83, waits: DISK },
  { name: 'flock', x64: 73, arm64: 32, waits: FILE_LOCK },
  { name: 'fsync', x64: 74, arm64: 82, waits: DISK },
  { name: 'futex', x64: 202, arm64: 98, waits: 'for another thread: Atomics.wait, or a mutex of native code' },
  { name: 'nanosleep', x64: 35, arm64: 101, waits: 'it sleeps' },
  { name: 'openat', x64: 257, arm64: 56, waits: 'for the other end of a FIFO, or a file system' },
  { name: 'poll', x64: 7, waits: 'for a file or a connection' },
  { name: 'ppoll', x64: 271, arm64: 73, waits: 'for a file or a connection' },
  { name: 'read', x64: 0, arm64: 63, waits: 'for a pipe, a terminal, or a file system' },
  { name: 'recvfrom', x64: 45, arm64: 207, waits: 'for the other end of a connection' },
  { name: 'wait4', x64: 61, arm64: 260, waits: CHILD },
  { name: 'write', x64: 1, arm64: 64, waits: 'for who reads a pipe or a terminal, or for a file system' },
];

/**
 * What a thread that answers nothing is doing in native code, as a phrase:
 * `futex (for another thread: Atomics.wait, or a mutex of native code)`.
 * `undefined` where the system does not tell.
 *
 * @param tid of the thread, as the system numbers it; default: the main thread
 */
export function blockedIn(pid: number, tid = pid): string | undefined {
  const thread = `/proc/${pid}/task/${tid}`;
  const called = callOf(textOf(`${thread}/syscall`));
  if (called !== undefined) return called;
  // The function of the kernel that waits; 0 where it is kept secret.
  const wchan = textOf(`${thread}/wchan`);
  if (wchan !== '' && wchan !== '0') return wchan;
  const letter = targetProcess(tid)?.letter;
  if (letter === 'R') return 'code that computes';
  return letter === 'D' ? 'a call that cannot be interrupted (for a disk, or a network file system)' : undefined;
}

/** Its first word is a number, if the thread is in a call; it may be kept from those who may send signals. */
function callOf(syscall: string): string | undefined {
  const number = /^\d+/.exec(syscall)?.[0];
  if (number === undefined) return undefined;
  const call = CALLS.find((known) => known[process.arch as 'x64'] === Number(number));
  return call === undefined ? `system call ${number}` : `${call.name} (${call.waits})`;
}
