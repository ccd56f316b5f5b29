/** What waits, and is not ready. */
import type { HeldTasks } from '../contract.js';
import type { Encoded } from '../../task/task.js';
import { generatedId } from '../generated-id.js';
import { inQueueWords } from './file/errors.js';
import { WAITING, type LedgerRow } from './ledger.js';
import type { Parts } from './parts.js';
import { plain } from './rows/rows.js';

interface Open {
  readonly parts: Parts;
  readonly row: LedgerRow;
}

/** Milliseconds since the epoch at which the next delayed task is due. */
export function nextDue({ parts: { db }, row }: Open): number | undefined {
  if (row.delayed === 0) return undefined;
  const sql = `select min(run_at) from marks where state = 'delayed' and start = ?`;
  return inQueueWords(db.name, () => db.prepare<[number], number | null>(sql).pluck().get(row.start) ?? undefined);
}

export function suspects({ parts: { db }, row }: Open): number {
  if (row.suspect === 0) return 0;
  const sql = `select count(*) from marks where state = 'suspect' and start = ?`;
  return inQueueWords(db.name, () => db.prepare<[number], number>(sql).pluck().get(row.start)!);
}

export function heldTasks({ parts: { db, backlog }, row }: Open, limit: number): HeldTasks {
  const { held: count, start } = row;
  if (count === 0) return { count, some: [] };
  const states = WAITING.map((state) => `'${state}'`).join();
  return inQueueWords(db.name, () => {
    const marked = db
      .prepare<[number, number], number>(`select seq from marks where start < ? and state in (${states}) limit ?`)
      .pluck()
      .all(start, limit);
    for (const seq of backlog.held()) {
      if (marked.length >= limit) break;
      marked.push(seq);
    }
    const read = db.prepare<[number], { id: string | null; input: Encoded }>(
      'select id, input from submitted where seq = ?',
    );
    const some = marked.flatMap((seq) => {
      const row = read.get(seq);
      return row === undefined ? [] : [{ id: row.id ?? generatedId(seq), input: plain(row.input) }];
    });
    return { count, some };
  });
}
