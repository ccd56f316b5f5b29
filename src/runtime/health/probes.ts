import type { ExecutorMode, HealthStatus, ProbeAnswers } from '../status.js';
import type { ThreadSummary } from '../thread-status.js';

/** What the probes are answered by. */
export interface Vitals {
  mode: ExecutorMode;
  health: Pick<HealthStatus, 'healthy' | 'why' | 'lastBeat'>;
  threads: readonly Pick<ThreadSummary, 'state'>[];
}

/**
 * live: no beat is missed, and the executor has not failed. ready: and it takes
 * tasks, with a thread to run them. startup: its first beat came; from then on always.
 */
export function answerProbes({ mode, health, threads }: Vitals): ProbeAnswers {
  const startup =
    health.lastBeat === null ? { ok: false, why: 'no beat has come yet' } : { ok: true, why: 'it has started' };
  const live = health.healthy
    ? { ok: true, why: mode as string }
    : { ok: false, why: health.why ?? 'it is not healthy' };
  return { live, startup, ready: [startup, live].find(({ ok }) => !ok) ?? readiness(mode, threads) };
}

function readiness(mode: ExecutorMode, threads: Vitals['threads']): { ok: boolean; why: string } {
  if (mode !== 'running') return { ok: false, why: `it is ${mode}` };
  const loaded = threads.filter(({ state }) => state !== 'loading').length;
  if (loaded === 0) return { ok: false, why: 'no thread has loaded' };
  return { ok: true, why: `${loaded} ${loaded === 1 ? 'thread' : 'threads'}` };
}
