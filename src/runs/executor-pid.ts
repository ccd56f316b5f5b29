/** In which process the executor of a run is: its lock may be held by a supervisor. */
import { hostname } from 'node:os';
import { processState } from '../system/process-state.js';
import type { HealthSnapshot } from '../runtime/health/snapshot.js';
import type { LockHolder } from '../system/lock/holder.js';
import { lastHealth } from './run-files.js';
import type { StateDir } from '../system/state-dir.js';

/** What has become of the process that wrote the snapshot; `unknown` where that cannot be told. */
export function writerOf(snapshot: HealthSnapshot, holder: LockHolder | undefined): 'there' | 'gone' | 'unknown' {
  if (processState('self') === undefined || holder?.hostname !== hostname()) return 'unknown';
  const found = snapshot.pid === null ? undefined : processState(snapshot.pid);
  if (found === undefined || found.startTicks !== snapshot.pidStartTicks) return 'gone';
  // The lock is held by the executor's process, or by its supervisor.
  const holds = snapshot.pid === holder.pid || found.parent === holder.pid;
  return holds && snapshot.state !== 'stopped' ? 'there' : 'gone';
}

/**
 * Process id of the executor of a run whose lock `holder` has. `undefined`
 * while it starts, has just died, or runs on another host.
 */
export function executorPid(stateDir: StateDir, runId: string, holder: LockHolder): number | undefined {
  const { snapshot } = lastHealth(stateDir, runId);
  const writer = writerOf(snapshot, holder);
  if (writer === 'gone' || holder.hostname !== hostname()) return undefined;
  return snapshot.pid ?? undefined;
}
