import { InvalidInputError } from '../../../base/errors.js';
import { changeRun } from '../../../runs/ask-run.js';
import { StateDir } from '../../../system/state-dir.js';
import { EXIT } from '../../exit-code.js';
import { tell } from '../../screen/terminal.js';
import { mustKnowRun, orHint } from '../find-run.js';

/** `runtime scale <run-id> <threads>` */
export async function scale(runId: string, threads: string, given: { dir?: string }): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  if (!/^\d+$/.test(threads)) {
    const problem = `must be a whole number from 1 to 1024, got ${JSON.stringify(threads)}`;
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was changed', [{ where: '<threads>', problem }]);
  }
  const { threads: now } = await orHint(
    changeRun(stateDir, runId, 'scale', { threads: Number(threads) }),
    stateDir,
    runId,
  );
  const many = now.length === 1 ? '1 thread' : `${now.length} threads`;
  tell(`${runId} has ${many}`);
  return EXIT.ok;
}
