/** `runtime status <run-id> --probe …` */
import { InvalidInputError, type Fault } from '../../base/errors.js';
import { closest, didYouMean, quoted } from '../../base/faults.js';
import { probeRun } from '../../runs/probe-run.js';
import { StateDir } from '../../system/state-dir.js';
import type { ProbeName } from '../../runtime/status.js';
import { EXIT } from '../exit-code.js';
import { mustKnowRun } from './find-run.js';
import { printJson, tell } from '../screen/terminal.js';

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
  const { [question]: answer } = await probeRun(stateDir, runId!);
  if (given.json) printJson({ schema: 1, runId, probe: question, ...answer });
  else if (answer.ok) process.stdout.write(`${YES[question]}\n`);
  if (!answer.ok && !given.json) tell(`runtime: ${runId} ${NO[question]}: ${answer.why}`);
  return answer.ok ? EXIT.ok : EXIT.failure;
}

function checked(runId: string | undefined, name: string): ProbeName {
  const faults: Fault[] = [];
  if (!NAMES.includes(name as ProbeName)) {
    const problem = `must be one of ${NAMES.join(', ')}, got ${quoted(name)}${didYouMean(name, NAMES)}`;
    faults.push({ where: '--probe', problem });
  }
  if (runId === undefined) faults.push({ where: '<run-id>', problem: 'is missing: a probe asks about one run' });
  if (faults.length === 0) return name as ProbeName;
  const meant = closest(name, NAMES) ?? (NAMES.includes(name as ProbeName) ? name : 'live');
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was asked', faults, {
    hint: `Such as: runtime status ${runId ?? '<run-id>'} --probe ${meant}`,
  });
}
