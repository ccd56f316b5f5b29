import { existsSync } from 'node:fs';
import { uptime } from 'node:os';
import { HoldfastError } from '../../base/errors.js';
import { formatDuration } from '../../base/units.js';
import { blockedIn } from './blocked-in.js';
import type { Listener } from './listeners.js';
import {
  ancestorsOf,
  descendantsOf,
  isNode,
  sharesNamespace,
  targetProcess,
  wordsOf,
  type TargetProcess,
} from './target-process.js';

/**
 * What the system shows of a process that can be looked into, by all that can
 * be told before it is touched.
 *
 * @throws HoldfastError ERR_INSPECT_TARGET saying why it cannot
 */
export function inspectable(pid: number): TargetProcess {
  // A negative one would reach a group of processes, 0 our own.
  if (!Number.isSafeInteger(pid) || pid <= 0)
    throw refusal(`${pid} is not a process id`, 'See those there are: ps -ef');
  if (pid === process.pid) {
    throw refusal(`process ${pid} is the one that asks`, 'A program looks into itself with: await inspectSelf()');
  }
  const target = targetProcess(pid);
  if (target === undefined) throw notThere(pid);
  const why = refusalOf(target);
  if (why !== undefined) throw why;
  return target;
}

/** Options of Node that have it block SIGUSR1 for good, and how its inspector is had all the same. */
const BLOCKING: [option: RegExp, instead: string][] = [
  [/^--disable-sigusr1$/, 'Start it without that option, or with --inspect=127.0.0.1:0'],
  [
    /^--(experimental-)?permission$/,
    'Start it with --allow-inspector --inspect=127.0.0.1:0 besides, which Node takes from 24 on, or without that option',
  ],
];

/** Why a process is sent no signal that opens its inspector; `undefined` if nothing speaks against it. */
export function refuseSignal({ pid, catchesUsr1, blocksUsr1 }: TargetProcess): HoldfastError | undefined {
  if (blocksUsr1) {
    const { option, instead } = blockingOption(pid) ?? {};
    const why = option === undefined ? 'as with --disable-sigusr1 or --permission' : `as it was started with ${option}`;
    return refusal(
      `process ${pid} blocks SIGUSR1, which would open its inspector, ${why}`,
      `${instead ?? 'Start it with --inspect=127.0.0.1:0'}; then: runtime inspect <its pid>`,
    );
  }
  if (catchesUsr1) return undefined;
  return refusal(
    `process ${pid} does not listen for SIGUSR1, which would end it: it has no inspector, or its program has taken that signal away`,
    `Start it with --inspect=127.0.0.1:0; then: runtime inspect <its pid>`,
  );
}

/** A process that is younger may not have come to Node's first line yet, in s. */
const YOUNG_S = 2;

/** Clock ticks in a second, for whatever `/proc` shows. */
const TICKS = 100;

/** Whether a process may only be starting: each Node blocks SIGUSR1, soon after its start and until its inspector is ready. */
export function mayBeStarting({ pid, blocksUsr1, catchesUsr1, startTicks }: TargetProcess): boolean {
  if (blocksUsr1) return blockingOption(pid) === undefined;
  return !catchesUsr1 && uptime() - startTicks / TICKS < YOUNG_S;
}

function blockingOption(pid: number): { option: string; instead: string } | undefined {
  const words = wordsOf(pid);
  for (const [pattern, instead] of BLOCKING) {
    const option = words.find((word) => pattern.test(word));
    if (option !== undefined) return { option, instead };
  }
  return undefined;
}

/** The process was there, and is no more. */
export function ended(pid: number): HoldfastError {
  return refusal(`process ${pid} has ended while it was looked into`, 'See what runs: ps -ef');
}

/** How long a thread may be in native code before it is taken to be blocked there, in ms. */
export const BLOCKED_MS = 5_000;

/** The main thread of a process has answered nothing for so long. */
export function blocked(pid: number, waitedMs = BLOCKED_MS): HoldfastError {
  const { letter } = targetProcess(pid) ?? {};
  if (letter === 'T' || letter === 't') return stopped(pid);
  return refusal(
    `process ${pid} has not answered in ${formatDuration(waitedMs)}: its main thread is ${whereBlocked(pid)}; or its program has taken SIGUSR1 for itself`,
    `See its native stack: gdb -p ${pid} -batch -ex bt. Or start it with --inspect=127.0.0.1:0`,
  );
}

/** It was started with `--inspect-brk`: nothing of its program runs yet. */
export function halted(pid: number, { host, port }: Listener): HoldfastError {
  return refusal(
    `process ${pid} is halted before its first line, where it waits for a debugger`,
    `Let it go on from a debugger (node inspect ${host}:${port}, there: cont), or start it with --inspect`,
  );
}

/** As a phrase. */
export function whereBlocked(pid: number): string {
  return `blocked in native code, ${blockedIn(pid) ?? 'the system does not tell in what'}`;
}

function stopped(pid: number): HoldfastError {
  return refusal(`process ${pid} is stopped, and answers nothing`, `Let it go on: kill -CONT ${pid}`);
}

/** `ERR_INSPECT_TARGET`. */
export function refusal(message: string, hint: string): HoldfastError {
  return new HoldfastError('ERR_INSPECT_TARGET', message, { hint });
}

function notThere(pid: number): HoldfastError {
  if (existsSync('/proc/self/status')) return refusal(`there is no process ${pid}`, 'See those there are: ps -ef');
  return refusal(
    `this system does not tell enough of process ${pid} to look into it without harm: only Linux does`,
    'A program looks into itself with: await inspectSelf(). Or dumps by itself: node --import holdfast/debug <program>',
  );
}

function refusalOf(target: TargetProcess): HoldfastError | undefined {
  const { pid, leader, uid, letter, program } = target;
  if (leader !== pid)
    return refusal(`${pid} is a thread of process ${leader}`, `Look into all of it: runtime inspect ${leader}`);
  const own = process.getuid!();
  if (uid !== own && own !== 0) {
    const who = `user ${uid}, and this is user ${own}`;
    return refusal(`process ${pid} belongs to ${who}`, `Look as that user: sudo -u '#${uid}' runtime inspect ${pid}`);
  }
  if (letter === 'Z' || letter === 'X') {
    return refusal(`process ${pid} has ended, and waits for its parent to take note of it`, 'See what runs: ps -ef');
  }
  if (letter === 'T' || letter === 't') return stopped(pid);
  if (!isNode(target)) {
    return refusal(`process ${pid} is ${program}, not Node`, hintForOther(pid));
  }
  if (!sharesNamespace(pid, 'net')) {
    return refusal(
      `process ${pid} is in a container, or has a network of its own: its inspector cannot be reached from here`,
      `Look from inside, where it is process ${target.innerPid}: runtime inspect ${target.innerPid}`,
    );
  }
  return undefined;
}

/** How many processes a hint names. */
const NAMED = 3;

/** Most often it is the shell that started what is meant. It started this command as well. */
function hintForOther(pid: number): string {
  const starters = ancestorsOf(process.pid);
  const nodes = descendantsOf(pid, process.pid).filter((child) => !starters.includes(child.pid) && isNode(child));
  if (nodes.length === 0) return 'Node processes there are: pgrep -a node';
  if (nodes.length === 1) return `It started one that is: runtime inspect ${nodes[0]!.pid}`;
  const named = nodes.slice(0, NAMED).map((node) => node.pid);
  const all = nodes.length > NAMED ? `, … (all: pgrep -a node)` : '';
  return `It started ${nodes.length} that are: runtime inspect <pid>, of ${named.join(', ')}${all}`;
}
