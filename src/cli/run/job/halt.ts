import { formatCount } from '../../../base/units.js';
import type { Halt } from '../../../options/halt-kind.js';

/** A share of a few tasks says little: as GNU parallel has it, so many must have failed. */
const LEAST_OF_SHARE = 3;

/** How tasks of this command have ended so far; a successor goes on counting. */
export interface EndedSoFar {
  ended: number;
  failed: number;
}

const NONE: EndedSoFar = { ended: 0, failed: 0 };

/** Why a run is to halt, in words; `undefined`: it is not. */
export function whyHalt({ limit }: Halt, { ended, failed } = NONE): string | undefined {
  const isReached =
    limit.kind === 'tasks' ? failed >= limit.tasks : failed >= LEAST_OF_SHARE && failed * 100 >= limit.percent * ended;
  if (!isReached) return undefined;
  const count = failed === 1 ? '1 task' : `${formatCount(failed)} tasks`;
  return limit.kind === 'tasks' ? `${count} failed` : `${count} of ${formatCount(ended)} failed`;
}
