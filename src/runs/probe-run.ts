/** Whether the executor of a run is well, asked from outside. Everything on this way is light: no SQLite, no zod. */
import { HoldfastError } from '../base/errors.js';
import { writerOf } from './executor-pid.js';
import { HEARTBEAT_FRESH_MS } from '../runtime/health/heartbeat.js';
import { answerProbes } from '../runtime/health/probes.js';
import { processState } from '../system/process-state.js';
import type { HealthSnapshot } from '../runtime/health/snapshot.js';
import { lastHealth, lockOf } from './run-files.js';
import type { StateDir } from '../system/state-dir.js';
import type { ProbeAnswer, ProbeAnswers } from '../runtime/status.js';
import { formatDuration } from '../base/units.js';

/**
 * How long an executor may take to answer, in ms. One whose loop turns needs a
 * few; and with the start of this process, some 80 ms, it stays below 200.
 */
const ANSWER_MS = 75;
const WHOLE_MS = 170;
/** On a machine that is so busy that the start took all the time. */
const LEAST_ANSWER_MS = 10;

/**
 * First what the kernel knows, which is true at once: whether the lock is held,
 * and whether its process is stopped. Then the executor itself is asked. One
 * that does not answer, and is not known to be stopped, may only be busy: its
 * last beat decides.
 */
export async function probeRun(stateDir: StateDir, runId: string): Promise<ProbeAnswers> {
  const lock = lockOf(stateDir, runId);
  const { snapshot } = lastHealth(stateDir, runId);
  if (!lock.isLocked()) return no(`no executor holds its lock${lastSeen(snapshot)}`);
  const holder = lock.holder();
  const executor = writerOf(snapshot, holder);
  const stopped = executor === 'gone' ? stoppedProcess(holder?.pid) : stoppedProcess(snapshot.pid);
  if (stopped !== undefined && executor !== 'unknown') return no(stopped);

  const socket = holder?.controlSocket;
  if (socket !== undefined) {
    try {
      const { probeExecutor } = await import('../runtime/control/client.js');
      return await probeExecutor(socket, patience());
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
  if (executor === 'gone') return no('its executor has died, or is just starting');
  // Where the kernel cannot be asked, one that is stopped would pass for one that is busy.
  if (socket !== undefined && processState('self') === undefined) return no(`it does not answer${lastSeen(snapshot)}`);
  return byLastBeat(snapshot);
}

function patience(): number {
  return Math.max(LEAST_ANSWER_MS, Math.min(ANSWER_MS, WHOLE_MS - performance.now()));
}

function stoppedProcess(pid: number | null | undefined): string | undefined {
  const letter = typeof pid === 'number' ? processState(pid)?.letter : undefined;
  if (letter === 'T' || letter === 't') return `its process ${pid} is stopped (kill -CONT ${pid} lets it go on)`;
  return letter === 'Z' || letter === 'X' ? `its process ${pid} is dead` : undefined;
}

function byLastBeat({ lastBeat, lastError, state, threads }: HealthSnapshot): ProbeAnswers {
  const ageMs = lastBeat === null ? Infinity : Math.abs(Date.now() - lastBeat.at);
  const missed = lastError?.source === 'beat' ? lastError.message : undefined;
  const why =
    ageMs > HEARTBEAT_FRESH_MS
      ? `it does not answer, and its last beat ${lastBeat === null ? 'never came' : `is ${formatDuration(ageMs)} old`}`
      : (missed ?? (state === 'failed' ? 'the executor failed' : null));
  return answerProbes({ mode: state, health: { healthy: why === null, why, lastBeat }, threads });
}

function lastSeen({ updatedAt, state }: HealthSnapshot): string {
  if (updatedAt === null) return '';
  return `; the last one was ${state} ${formatDuration(Math.max(0, Date.now() - updatedAt))} ago`;
}

function no(why: string): ProbeAnswers {
  const answer: ProbeAnswer = { ok: false, why };
  return { live: answer, ready: answer, startup: answer };
}
