import { setTimeout as delay } from 'node:timers/promises';
import { readHealth, type HealthSnapshot } from '../../runtime/health/snapshot.js';
import { formatDuration } from '../../base/units.js';
import type { BeatLog } from '../beat-log.js';
import type { PostCondition } from '../post-conditions.js';
import { counted } from '../../base/counted.js';
import { judged } from './judged.js';

/** A snapshot is written once a second; on a machine that is busy, one may be late. */
const MAX_AGE_MS = 3_000;
const LOOK_AGAIN_MS = 5;

export interface BeatEvidence {
  /** How many threads there are to be: those with the numbers 1 to this. */
  threads: number;
  beats: Pick<BeatLog, 'count' | 'missing'>;
  /** How long what is on its way is waited for, in ms. */
  patienceMs: number;
}

export const threadsBeat: PostCondition<BeatEvidence> = {
  name: 'threads beat',
  expected: 'every thread in a beat that went through it',
  async check({ threads, beats, patienceMs }) {
    const numbers = Array.from({ length: threads }, (_, index) => index + 1);
    const missing = await beats.missing(numbers, patienceMs);
    const within = `in ${counted(beats.count, 'beat')}`;
    const faults = missing.map((thread) => `thread ${thread} not ${within}`);
    return judged(faults, `${counted(threads, 'thread')} ${within}`);
  },
};

export interface HealthEvidence {
  runId: string;
  /** Of the snapshot. */
  healthFile: string;
  patienceMs: number;
}

export const healthIsFresh: PostCondition<HealthEvidence> = {
  name: 'health fresh',
  expected: `on disk a valid snapshot of this process, at most ${formatDuration(MAX_AGE_MS)} old`,
  async check({ runId, healthFile, patienceMs }) {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const { snapshot, problems } = readHealth(healthFile);
      const faults = problems.length > 0 ? problems : faultsOf(snapshot, runId);
      const { sequence, updatedAt } = snapshot;
      const age = formatDuration(Math.max(0, Date.now() - (updatedAt ?? 0)));
      if (faults.length === 0) return { ok: true, actual: `valid, sequence ${sequence}, ${age} old` };
      if (performance.now() >= deadline) return judged(faults, '');
      // The first one is written beside all else that happens at the start.
      await delay(LOOK_AGAIN_MS);
    }
  },
};

function faultsOf({ runId, pid, sequence, updatedAt, lastBeat }: HealthSnapshot, expected: string): string[] {
  const ageMs = Date.now() - (updatedAt ?? 0);
  return [
    ...(runId === expected ? [] : [`it is of run ${runId}`]),
    ...(pid === process.pid ? [] : [`it is of process ${pid}, and this is ${process.pid}`]),
    ...(sequence > 0 ? [] : [`its sequence is ${sequence}`]),
    ...(Math.abs(ageMs) <= MAX_AGE_MS
      ? []
      : [`it is ${formatDuration(Math.abs(ageMs))} ${ageMs > 0 ? 'old' : 'ahead'}`]),
    ...(lastBeat === null ? ['it tells of no beat'] : []),
  ];
}
