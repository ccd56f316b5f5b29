import { askRun } from '../../../runs/ask-run.js';
import type { StatusRequest } from '../../../runtime/control/messages.js';
import { StateDir } from '../../../system/state-dir.js';
import { formatCount } from '../../../base/units.js';
import { EXIT } from '../../exit-code.js';
import { mustKnowRun, orHint } from '../find-run.js';

const MODE_AFTER = { pause: 'paused', resume: 'running', drain: 'draining' } as const;

/** `runtime pause|resume|drain <run-id>`: asks the run in another terminal. */
export async function steer(
  what: Exclude<StatusRequest, 'status'>,
  runId: string,
  given: { dir?: string },
): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const { mode, counts } = await orHint(askRun(stateDir, runId, what), stateDir, runId);
  const waiting = counts.queued + counts.delayed;
  const stands = `${runId} is ${mode}: ${formatCount(counts.running)} running, ${formatCount(waiting)} waiting\n`;
  if (mode === MODE_AFTER[what]) {
    process.stderr.write(stands);
    return EXIT.ok;
  }
  // One that ends cannot be held up; it may even have ended since it was asked.
  process.stderr.write(`runtime: too late to ${what}: ${stands}`);
  return what === 'drain' ? EXIT.ok : EXIT.failure;
}
