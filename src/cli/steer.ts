import type { ControlRequest } from '../runtime/control/client.js';
import { StateDir } from '../runtime/state-dir.js';
import { formatCount } from '../runtime/units.js';
import { EXIT } from './exit-code.js';
import { askRun, mustKnowRun } from './find-run.js';

/** `runtime pause|resume|drain <run-id>`: asks the run in another terminal. */
export async function steer(
  what: Exclude<ControlRequest, 'status'>,
  runId: string,
  given: { dir?: string },
): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const { mode, counts } = await askRun(stateDir, runId, what);
  const waiting = counts.queued + counts.delayed;
  process.stderr.write(`${runId} is ${mode}: ${formatCount(counts.running)} running, ${formatCount(waiting)} waiting\n`);
  return EXIT.ok;
}
