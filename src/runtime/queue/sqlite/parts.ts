/** What those share that write: statements, and what is kept in memory. */
import type { Database } from 'better-sqlite3';
import { Keys } from './rows/keys.js';
import { Backlog } from './backlog/backlog.js';
import { Recent } from './backlog/recent.js';
import { Statements } from './rows/statements.js';

export class Parts {
  readonly db: Database;
  readonly sql: Statements;
  readonly backlog = new Backlog();
  readonly recent = new Recent();
  readonly handlers: Keys;
  readonly versions: Keys;

  constructor(db: Database) {
    this.db = db;
    this.sql = new Statements(db);
    this.handlers = new Keys(this.sql.handler);
    this.versions = new Keys(this.sql.version);
  }

  readonly handlerName = (key: number): string => this.handlers.text(key, (each) => this.sql.handlerName.get(each));
}
