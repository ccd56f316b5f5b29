import { spawn, type ChildProcess } from 'node:child_process';
import { isReaper } from './marker.js';
import { livingProcesses } from '../../system/process-state.js';
import { sendSignal } from '../../system/send-signal.js';

/** What was started while the others were being stopped is found in the next pass; ten of them say that it never ends. */
const MAX_PASSES = 10;

/**
 * Stops a process and all that descends from it, as a terminal's Ctrl-Z does it
 * with one process group. Gives the function that lets them go on.
 *
 * What ends others when we are killed goes on: a process that is stopped would
 * not see that it is to end.
 *
 * @param root not stopped itself when it is the process that calls
 */
export function suspend(root: number): () => void {
  const stopped: number[] = [];
  const stop = (pid: number) => {
    if (sendSignal(pid, 'SIGSTOP')) stopped.push(pid);
  };
  if (root !== process.pid) stop(root);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = runningBelow(root);
    if (found.length === 0) break;
    found.forEach(stop);
  }
  const guard = root === process.pid ? undefined : guardOver(root, stopped);
  return () => {
    guard?.kill('SIGKILL');
    for (const pid of stopped) sendSignal(pid, 'SIGCONT');
  };
}

/** Descendants, and those whose session or group one of them leads: they may have lost the parent that tied them to it. */
function runningBelow(root: number): number[] {
  const processes = livingProcesses();
  const below = new Set([root]);
  const leads = (id: number) => below.has(id) && (id !== root || root !== process.pid);
  for (let size = 0; size !== below.size;) {
    size = below.size;
    for (const { pid, parent, group, session } of processes) {
      if (below.has(parent) || leads(group) || leads(session)) below.add(pid);
    }
  }
  below.delete(root);
  below.delete(process.pid);
  const running = processes.filter(({ pid, letter }) => below.has(pid) && letter !== 'T' && letter !== 't');
  return running.map(({ pid }) => pid).filter((pid) => !isReaper(pid));
}

/**
 * If the process that stopped them is killed meanwhile, the executor could not
 * end itself as it does else, and would keep the lock. This one sees it: the end
 * of its standard input.
 */
function guardOver(executor: number, stopped: readonly number[]): ChildProcess {
  const script = 'read -r _; kill -KILL "$1"; kill -CONT "$@"';
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(executor), ...stopped.map(String)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => {}); // without a shell nobody sees it, and a SIGCONT does
  guard.unref();
  return guard;
}
