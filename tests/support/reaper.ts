import { Reaper } from '../../dist/runtime/processes/reaper.js';

/** One that is never started, as no task starts a program. */
export function reaper(): Reaper {
  return new Reaper({ graceMs: 100, holds: () => [], onTrouble: () => {} });
}
