import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.js';
import { formatDuration } from '../../base/units.js';
import { inspectorAmong, inspectorBeside, inspectorPorts, type Inspector } from './find-inspector.js';
import { blocked, BLOCKED_MS, ended, mayBeStarting, refuseSignal, whereBlocked } from '../process/inspectable.js';
import { holderOf } from '../process/listeners.js';
import { isAlive, targetProcess, type TargetProcess } from '../process/target-process.js';
import { SILENCE_MS, WAIT_MS, type Patience } from './turn.js';

/** How long a process may take from its start to its inspector, in ms: mostly 30 ms, more on a busy machine. */
const START_MS = 3_000;

/** How often to look, in ms. An inspector opens within 50. */
const POLL_MS = 5;

/** After that, in ms, it is looked for where it would have been open before. */
const LATE_MS = 300;

interface OpenOptions extends Patience {
  /** Ports at which the process listened before. */
  before: readonly number[];
  /** Called before each signal. */
  onSignal(): void;
}

/**
 * Makes a process open its inspector, by SIGUSR1: a thread of its own waits
 * for that signal, and interrupts what the main thread runs.
 *
 * @throws HoldfastError ERR_INSPECT_TARGET when the process refuses, ends, or its main thread is blocked in native code
 * @throws HoldfastError ERR_INSPECT_BUSY when another process keeps the port
 */
export async function openInspector(target: TargetProcess, options: OpenOptions): Promise<Inspector> {
  const port = inspectorPorts(target.pid).at(-1)!;
  for (;;) {
    if (port !== 0) await waitForPort(port, target.pid, options);
    await sendSignal(target, options);
    const found = await waitForInspector(target, port, options);
    if (found !== 'port taken') return found;
  }
}

async function sendSignal(target: TargetProcess, { onSignal, waitMs = WAIT_MS, signal }: OpenOptions): Promise<void> {
  const { pid, startTicks } = target;
  const limit = performance.now() + Math.min(waitMs, START_MS);
  for (
    let seen = targetProcess(pid);
    seen?.startTicks === startTicks && mayBeStarting(seen);
    seen = targetProcess(pid)
  ) {
    if (performance.now() > limit) break;
    await delay(POLL_MS, undefined, { signal });
  }
  // Looked at again, right before: by now, this pid may be that of another process.
  const now = targetProcess(pid);
  if (now?.startTicks !== startTicks) throw ended(pid);
  const refused = refuseSignal(now);
  if (refused) throw refused;
  onSignal();
  process.kill(pid, 'SIGUSR1');
}

/** Node tries its port once, and if that is taken, only says so on its standard error. */
async function waitForPort(port: number, pid: number, { waitMs = WAIT_MS, onNote, signal }: Patience): Promise<void> {
  const start = performance.now();
  const silence = new Silence(onNote);
  for (;;) {
    const holder = holderOf(port, pid);
    if (holder === undefined) return;
    const taken = `port ${port}, which the inspector of process ${pid} needs, is taken by ${named(holder)}`;
    if (performance.now() - start > waitMs) {
      throw new HoldfastError('ERR_INSPECT_BUSY', `${taken}; it was not free in ${formatDuration(waitMs)}`, {
        hint: 'End that one, or start yours with another port: node --inspect-port=0 <program>',
      });
    }
    silence.break(() => `waiting: ${taken}`);
    await delay(POLL_MS * 10, undefined, { signal });
  }
}

async function waitForInspector(
  target: TargetProcess,
  port: number,
  { before, waitMs = WAIT_MS, onNote, signal }: OpenOptions,
): Promise<Inspector | 'port taken'> {
  const { pid } = target;
  const start = performance.now();
  const limit = Math.min(waitMs, BLOCKED_MS);
  const silence = new Silence(onNote);
  for (;;) {
    const found = await inspectorBeside(pid, before);
    if (found) return found;
    const passed = performance.now() - start;
    if (passed > LATE_MS) {
      // Its program has opened it, where no option tells.
      const known = await inspectorAmong(pid, before);
      if (known) return known;
      if (port !== 0 && holderOf(port, pid) !== undefined) return 'port taken';
    }
    if (!isAlive(target)) throw ended(pid);
    if (passed > limit) throw blocked(pid, limit);
    silence.break(() => `waiting for process ${pid} to answer: its main thread is ${whereBlocked(pid)}`);
    await delay(passed > LATE_MS ? POLL_MS * 10 : POLL_MS, undefined, { signal });
  }
}

/** Says once what a wait is for, when it begins to be long. */
class Silence {
  readonly #start = performance.now();
  #onNote: ((note: string) => void) | undefined;

  constructor(onNote: ((note: string) => void) | undefined) {
    this.#onNote = onNote;
  }

  break(note: () => string): void {
    if (performance.now() - this.#start < SILENCE_MS) return;
    this.#onNote?.(note());
    this.#onNote = undefined;
  }
}

function named(holder: number | 'unknown'): string {
  return holder === 'unknown' ? 'another process' : `process ${holder}`;
}
