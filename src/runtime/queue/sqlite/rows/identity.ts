/** What the file tells of the run itself: its module, and the texts that outcomes are of. */
import type { Database } from 'better-sqlite3';
import type { RunIdentity } from '../../contract.js';
import { MARKS_APART } from './rows.js';

interface IdentityRow {
  module: string;
  real_module: string;
  handler: string | null;
  source: RunIdentity['source'] | null;
  version: string | null;
}

export function recordIdentity(db: Database, identity: RunIdentity): void {
  const { module, realModule, handler, source, version } = identity;
  db.exec('delete from identity');
  db.prepare('insert into identity values (?, ?, ?, ?, ?)').run(
    module,
    realModule,
    handler ?? null,
    source ?? null,
    version ?? null,
  );
}

/** @param schema of the file: the first one knew of no identity */
export function readIdentity(db: Database, schema: number): RunIdentity | undefined {
  if (schema < 2) return undefined;
  const row = db.prepare<[], IdentityRow>('select module, real_module, handler, source, version from identity').get();
  return (
    row && {
      module: row.module,
      realModule: row.real_module,
      handler: row.handler ?? undefined,
      source: row.source ?? undefined,
      version: row.version ?? undefined,
    }
  );
}

/** Scans the table, 1 million rows in about 0.1 s, if there ever was another text. */
export function countOfOtherVersions(db: Database, schema: number, version: string): number {
  if (schema < 2) return 0;
  const others = db.prepare<[string], number>('select key from versions where hash <> ?').pluck().all(version);
  if (others.length === 0) return 0;
  const keys = others.join(', ');
  const sql = `select count(*) from ${schema < MARKS_APART ? 'tasks' : 'outcomes'} where version in (${keys})`;
  return db.prepare<[], number>(sql).pluck().get()!;
}
