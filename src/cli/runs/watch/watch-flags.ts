import { InvalidInputError, type Fault } from '../../../base/errors.js';
import { duration } from '../../../options/kinds.js';
import { attempt } from '../../../options/refusal.js';
import { RUN_ID } from '../../../system/state-dir.js';
import { besideWatch } from '../../arguments/watch-interval.js';

const WATCH_MS = 1_000;
const INTERVAL = duration(100);

/** What commander collected. */
export interface GivenToWatch {
  watch: string | true;
  probe?: string;
  dir?: string;
  json?: boolean;
  color?: boolean;
}

/**
 * @param typed the run, if one was named
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault
 */
export function resolveWatchFlags(
  typed: string | undefined,
  { watch, probe }: GivenToWatch,
): { runId: string | undefined; intervalMs: number } {
  const { argument: runId, interval } = besideWatch(typed, watch);
  const faults: Fault[] = [];
  if (probe !== undefined) faults.push({ where: '--probe and --watch', problem: 'a probe is answered once' });
  if (runId !== undefined && !RUN_ID.test(runId))
    faults.push({ where: '[run-id]', problem: `must be the id of a run, got ${JSON.stringify(runId)}` });
  const read = typeof interval === 'string' ? attempt(() => INTERVAL.read(interval, 'flag')) : { value: WATCH_MS };
  if ('faults' in read) faults.push(...read.faults.map(({ problem }) => ({ where: '--watch', problem })));
  else if (faults.length === 0) return { runId, intervalMs: read.value };
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was watched', faults, {
    hint: 'Such as: runtime status nightly --watch 2s',
  });
}
