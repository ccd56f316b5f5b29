import { HoldfastError, InvalidInputError } from '../../../base/errors.js';
import { formatCount, parseDuration } from '../../../base/units.js';
import { removeLeftovers, removeRun } from '../../../runs/remove-run.js';
import { remainsOf, type KeepReason, type RunRemains } from '../../../runs/run-remains.js';
import { StateDir } from '../../../system/state-dir.js';
import { errorText, EXIT } from '../../exit-code.js';
import { hasColor, painter } from '../../screen/color.js';
import { printJson, tell } from '../../screen/terminal.js';
import { removedDocument, removedTable } from './removed-table.js';

interface Given {
  dir?: string;
  older?: string;
  notDone?: boolean;
  dryRun?: boolean;
  json?: boolean;
  color?: boolean;
}

/** `recent`: something was written to it since. */
type Reason = KeepReason | 'recent';

const LABELS: Record<Reason, string> = {
  held: 'going on',
  outside: 'reached by a link',
  unfinished: 'with tasks that have not ended',
  'not-done': 'with tasks that did not end done (--not-done)',
  unreadable: 'that cannot be read',
  input: 'with input that was not read',
  saved: 'with a saved copy of a queue',
  foreign: 'with other files',
  recent: 'written to since',
};

interface Pruned {
  removed: RunRemains[];
  kept: { runId: string; reasons: Reason[]; why: string[] }[];
  failed: HoldfastError[];
}

/** `runtime prune --older <duration>` */
export async function prune(given: Given): Promise<number> {
  const before = Date.now() - olderThan(given.older);
  const stateDir = new StateDir(given.dir);
  const pruned = await pruneAll(stateDir, before, given);
  const { removed, kept, failed } = pruned;
  if (given.json) {
    const errors = failed.map(({ code, message }) => ({ code, message }));
    printJson({
      schema: 1,
      dryRun: given.dryRun === true,
      removed: removed.map(removedDocument),
      kept,
      failed: errors,
    });
  } else {
    const paint = painter(hasColor(process.stdout, given.color ?? true));
    process.stdout.write(removedTable(removed, given.dryRun ? 'would remove' : 'removed', paint));
    tell(keptText(pruned));
    for (const error of failed) process.stderr.write(errorText(error));
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failure;
}

async function pruneAll(stateDir: StateDir, before: number, { notDone, dryRun }: Given): Promise<Pruned> {
  const pruned: Pruned = { removed: [], kept: [], failed: [] };
  const may = (reason: KeepReason) => reason === 'not-done' && notDone === true;
  if (!dryRun) removeLeftovers(stateDir);
  for (const runId of stateDir.runIds()) {
    try {
      const found = await remainsOf(stateDir, runId);
      let reasons = reasonsOf(found, before, may);
      if (reasons.length === 0 && !dryRun) reasons = await removeRun(stateDir, runId, may);
      if (reasons.length === 0) pruned.removed.push(found);
      else
        pruned.kept.push({ runId, reasons: reasons.map(({ reason }) => reason), why: reasons.map(({ why }) => why) });
    } catch (error) {
      // The others may go all the same.
      if (!(error instanceof HoldfastError)) throw error;
      pruned.failed.push(error);
    }
  }
  return pruned;
}

function reasonsOf(
  { kept, touchedAt }: RunRemains,
  before: number,
  may: (reason: KeepReason) => boolean,
): { reason: Reason; why: string }[] {
  const reasons = kept.filter(({ reason }) => !may(reason));
  if ((touchedAt ?? 0) <= before) return reasons;
  return [...reasons, { reason: 'recent' as const, why: 'was written to since' }];
}

function olderThan(older: string | undefined): number {
  const fault = (problem: string) =>
    new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was removed', [{ where: '--older', problem }], {
      hint: 'Such as: runtime prune --older 30d --dry-run',
    });
  if (older === undefined) throw fault('is missing: how long ago a run must have been written to last');
  try {
    return parseDuration(older);
  } catch (error) {
    throw fault((error as Error).message);
  }
}

/** `kept 3 runs: 1 going on, 2 written to since`; a run is counted under what comes first. */
function keptText({ removed, kept, failed }: Pruned): string {
  if (removed.length === 0 && kept.length === 0 && failed.length === 0) return 'there are no runs';
  if (kept.length === 0) return 'kept no other run';
  const counts = new Map<Reason, number>();
  for (const { reasons } of kept) counts.set(reasons[0]!, (counts.get(reasons[0]!) ?? 0) + 1);
  const why = [...counts].map(([reason, count]) => `${formatCount(count)} ${LABELS[reason]}`).join(', ');
  return `kept ${formatCount(kept.length)} ${kept.length === 1 ? 'run' : 'runs'}: ${why}`;
}
