import { printable } from '../../../base/printable.js';
import { formatDuration, formatSize } from '../../../base/units.js';
import type { RunRemains } from '../../../runs/run-remains.js';
import type { Paint } from '../../screen/color.js';
import { countsText } from '../../screen/counts-text.js';
import { table } from '../../screen/table.js';

/** A line a run: what it held, and where. */
export function removedTable(runs: readonly RunRemains[], what: string, paint: Paint): string {
  const rows = runs.map(({ runId, counts, bytes, touchedAt, paths }) => [
    what,
    runId,
    (counts && countsText(counts, false, paint)) || 'no tasks',
    formatSize(bytes),
    touchedAt === null ? 'never' : `${formatDuration(Math.max(0, Date.now() - touchedAt))} ago`,
    paint('dim', paths.map((path) => printable(path, Infinity)).join(' ')),
  ]);
  return table(rows);
}

/** As `--json` has it. */
export function removedDocument({ runId, counts, bytes, touchedAt, paths }: RunRemains): unknown {
  return { runId, counts, bytes, touchedAt, paths };
}
