import { HoldfastError, InvalidInputError } from '../../../base/errors.js';
import { removeLeftovers, removeRun } from '../../../runs/remove-run.js';
import { remainsOf, type KeepReason, type RunRemains } from '../../../runs/run-remains.js';
import { RUN_ID, RUN_ID_RULE, StateDir } from '../../../system/state-dir.js';
import { commandFor } from '../../arguments/suggest-command.js';
import { EXIT } from '../../exit-code.js';
import { hasColor, painter } from '../../screen/color.js';
import { printJson } from '../../screen/terminal.js';
import { mustKnowRun } from '../find-run.js';
import { removedDocument, removedTable } from './removed-table.js';

interface Given {
  dir?: string;
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
  color?: boolean;
}

/** These hold whatever is asked for. */
const ALWAYS: readonly KeepReason[] = ['held', 'outside'];

/** `runtime rm <run-id…>`: all of them, or none. */
export async function rm(runIds: readonly string[], given: Given): Promise<number> {
  mustBeRunIds(runIds);
  const stateDir = new StateDir(given.dir);
  const ids = [...new Set(runIds)];
  const may = (reason: KeepReason) => given.force === true && !ALWAYS.includes(reason);
  const found = await lookAt(ids, stateDir, may);
  if (!given.dryRun) await removeAll(found, stateDir, may);
  if (given.json) printJson({ schema: 1, dryRun: given.dryRun === true, removed: found.map(removedDocument) });
  else {
    const paint = painter(hasColor(process.stdout, given.color ?? true));
    process.stdout.write(removedTable(found, given.dryRun ? 'would remove' : 'removed', paint));
  }
  return EXIT.ok;
}

function mustBeRunIds(runIds: readonly string[]): void {
  const faults = runIds
    .filter((id) => !RUN_ID.test(id))
    .map((id) => ({ where: JSON.stringify(id), problem: RUN_ID_RULE }));
  if (faults.length > 0) throw new InvalidInputError('ERR_INVALID_RUN_ID', 'nothing was removed', faults);
}

type Kept = { runId: string; why: string; reason?: KeepReason };

/** @throws HoldfastError `ERR_RUN_KEPT` with all that speaks against it */
async function lookAt(
  ids: readonly string[],
  stateDir: StateDir,
  may: (reason: KeepReason) => boolean,
): Promise<RunRemains[]> {
  const found: RunRemains[] = [];
  const kept: Kept[] = [];
  for (const runId of ids) {
    try {
      mustKnowRun(stateDir, runId);
      const remains = await remainsOf(stateDir, runId);
      found.push(remains);
      for (const { reason, why } of remains.kept) if (!may(reason)) kept.push({ runId, reason, why });
    } catch (error) {
      // There is no such run, or its lock is no file of ours.
      if (!(error instanceof HoldfastError) || ids.length === 1) throw error;
      kept.push({ runId, why: error.message });
    }
  }
  if (kept.length > 0) throw refusal('nothing was removed', kept, stateDir);
  return found;
}

async function removeAll(
  runs: readonly RunRemains[],
  stateDir: StateDir,
  may: (reason: KeepReason) => boolean,
): Promise<void> {
  removeLeftovers(stateDir);
  const removed: string[] = [];
  for (const { runId } of runs) {
    // It was looked at just before: somebody has started it since, or written to it.
    const kept = await removeRun(stateDir, runId, may);
    const what = removed.length === 0 ? 'nothing was removed' : `only ${removed.join(', ')} removed`;
    const faults = kept.map((each) => ({ runId, ...each }));
    if (kept.length > 0) throw refusal(what, faults, stateDir);
    removed.push(runId);
  }
}

function refusal(what: string, kept: readonly Kept[], { root }: StateDir): HoldfastError {
  const hints: string[] = [];
  if (kept.some(({ reason }) => reason === 'held'))
    hints.push(`A run that goes on is ended by: ${commandFor('drain <run-id>', root)}`);
  const forced = kept.filter(({ reason }) => reason !== undefined && !ALWAYS.includes(reason));
  const ids = [...new Set(forced.map(({ runId }) => runId))].join(' ');
  if (forced.some(({ reason }) => reason === 'not-done' || reason === 'unfinished'))
    hints.push(`To keep what is recorded: ${commandFor('results <run-id>', root)} > <file>`);
  if (forced.length > 0) hints.push(`To remove it all the same: ${commandFor(`rm ${ids} --force`, root)}`);
  const message = `${what}:\n${kept.map(({ runId, why }) => `  ${runId}: ${why}`).join('\n')}`;
  return new HoldfastError('ERR_RUN_KEPT', message, hints.length === 0 ? {} : { hint: hints.join('\n') });
}
