/** `runtime status <run-id> --probe …`. Everything on this way is light: no SQLite, no zod. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { probeExecutor } from '../runtime/control/client.js';
import { HoldfastError, InvalidInputError, type Fault } from '../runtime/errors.js';
import { closest, didYouMean, quoted } from '../runtime/faults.js';
import { HEARTBEAT_FRESH_MS } from '../runtime/health/heartbeat.js';
import { answerProbes } from '../runtime/health/probes.js';
import { processState } from '../runtime/health/process-state.js';
import { HEALTH_FILE, readHealth, type HealthSnapshot } from '../runtime/health/snapshot.js';
import type { LockHolder } from '../runtime/lock/holder.js';
import { StateDir } from '../runtime/state-dir.js';
import type { ProbeAnswer, ProbeAnswers, ProbeName } from '../runtime/status.js';
import { formatDuration } from '../runtime/units.js';
import { EXIT } from './exit-code.js';
import { lockOf, mustKnowRun } from './find-run.js';

/**
 * How long an executor may take to answer, in ms. One whose loop turns needs a
 * few; and with the start of this process, some 80 ms, it stays below 200.
 */
const ANSWER_MS = 75;
const WHOLE_MS = 170;
/** On a machine that is so busy that the start took all the time. */
const LEAST_ANSWER_MS = 10;

const NAMES: readonly ProbeName[] = ['live', 'ready', 'startup'];
const YES = { live: 'live', ready: 'ready', startup: 'started' } as const;
const NO = { live: 'is not live', ready: 'is not ready', startup: 'has not started' } as const;

export async function probe(
  runId: string | undefined,
  name: string,
  given: { dir?: string; json?: boolean },
): Promise<number> {
  const question = checked(runId, name);
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId!);
  const { [question]: answer } = await ask(stateDir, runId!);
  if (given.json) process.stdout.write(`${JSON.stringify({ schema: 1, runId, probe: question, ...answer })}\n`);
  else if (answer.ok) process.stdout.write(`${YES[question]}\n`);
  if (!answer.ok && !given.json) process.stderr.write(`runtime: ${runId} ${NO[question]}: ${answer.why}\n`);
  return answer.ok ? EXIT.ok : EXIT.failure;
}

function checked(runId: string | undefined, name: string): ProbeName {
  const faults: Fault[] = [];
  if (!NAMES.includes(name as ProbeName)) {
    const problem = `wants one of ${NAMES.join(', ')}, got ${quoted(name)}${didYouMean(name, NAMES)}`;
    faults.push({ where: '--probe', problem });
  }
  if (runId === undefined) faults.push({ where: '<run-id>', problem: 'is missing: a probe asks about one run' });
  if (faults.length === 0) return name as ProbeName;
  const meant = closest(name, NAMES) ?? (NAMES.includes(name as ProbeName) ? name : 'live');
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was asked', faults, {
    hint: `Such as: runtime status ${runId ?? '<run-id>'} --probe ${meant}`,
  });
}

/**
 * First what the kernel knows, which is true at once: whether the lock is held,
 * and whether its process is stopped. Then the executor itself is asked. One
 * that does not answer, and is not known to be stopped, may only be busy: its
 * last beat decides.
 */
async function ask(stateDir: StateDir, runId: string): Promise<ProbeAnswers> {
  const lock = lockOf(stateDir, runId);
  const { snapshot } = readHealth(join(stateDir.runDir(runId), HEALTH_FILE));
  if (!lock.isLocked()) return no(`no executor holds its lock${lastSeen(snapshot)}`);
  const holder = lock.holder();
  const executor = processOf(snapshot, holder);
  const stopped = executor === 'gone' ? stoppedProcess(holder?.pid) : stoppedProcess(snapshot.pid);
  if (stopped !== undefined && executor !== 'unknown') return no(stopped);

  const socket = holder?.controlSocket;
  if (socket !== undefined) {
    try {
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

/** What has become of the process that wrote the snapshot; `unknown` where that cannot be told. */
function processOf(snapshot: HealthSnapshot, holder: LockHolder | undefined): 'there' | 'gone' | 'unknown' {
  if (processState('self') === undefined || holder?.hostname !== hostname()) return 'unknown';
  const found = snapshot.pid === null ? undefined : processState(snapshot.pid);
  if (found === undefined || found.startTicks !== snapshot.pidStartTicks) return 'gone';
  // The lock is held by the executor's process, or by its supervisor.
  const holds = snapshot.pid === holder.pid || found.parent === holder.pid;
  return holds && snapshot.state !== 'stopped' ? 'there' : 'gone';
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
