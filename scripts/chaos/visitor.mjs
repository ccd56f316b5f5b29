// @ts-check
/**
 * A visitor beside the run: opens its queue for writing, as a database browser
 * does, reads from it, and closes it, with every SQLite there is here, one
 * after the other: node visitor.mjs <file of the queue> <Node program> ...
 *
 * Who closes a database last tidies up its log. A visitor takes itself for the
 * last one when the process of the queue has lost its locks.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';

/** @typedef {{ visits: Record<string, number>, locked: number, damaged: string[] }} Visits `visits`: by what was used */

const [path = '', ...nodes] = process.argv.slice(2);
const run = promisify(execFile);
const PAUSE_MS = 20;
/** A visit that takes longer is given up; a queue is never locked for so long. */
const VISIT_MS = 20_000;

/** Reads what every queue has, whatever its tables are. */
const NAMES = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
const FOR_NODE = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]);
  for (const { name } of db.prepare(${JSON.stringify(NAMES)}).all()) db.prepare('select count(*) from "' + name + '"').get();
  db.close();`;

/** @type {Record<string, () => Promise<void>>} */
const visitors = {
  async 'better-sqlite3'() {
    const db = new Database(path, { fileMustExist: true, timeout: 0 });
    try {
      for (const { name } of /** @type {{ name: string }[]} */ (db.prepare(NAMES).all()))
        db.prepare(`select count(*) from "${name}"`).get();
    } finally {
      db.close();
    }
  },
  async sqlite3() {
    await run('sqlite3', [path, `${NAMES}; pragma quick_check(1);`], { timeout: VISIT_MS });
  },
};
for (const program of nodes) {
  const { stdout } = await run(program, ['-p', 'process.version']);
  visitors[`node:sqlite of ${stdout.trim()}`] = async () => {
    const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_V8_COVERAGE: '' };
    await run(program, ['-e', FOR_NODE, path], { timeout: VISIT_MS, env });
  };
}
if (!(await isInstalled())) delete visitors['sqlite3'];

/** @type {Visits} */
const seen = { visits: {}, locked: 0, damaged: [] };
let ending = false;
process.once('message', () => (ending = true));
// Nobody is left to tell.
process.once('disconnect', () => process.exit());
process.send?.('ready');

while (!ending) {
  for (const [name, visit] of Object.entries(visitors)) {
    await sleep(PAUSE_MS);
    // To open what is not there would make it.
    if (ending || !existsSync(path)) break;
    await visit().then(
      () => (seen.visits[name] = (seen.visits[name] ?? 0) + 1),
      (error) => note(name, error),
    );
  }
}
process.send?.(seen, () => process.exit());

/** That others write is no trouble; that what they wrote cannot be read is. @param {string} name @param {Error & { stderr?: string }} error */
function note(name, { message, stderr = '' }) {
  if (/lock|busy/i.test(`${message}${stderr}`)) seen.locked++;
  else seen.damaged.push(`${name}: ${message}`);
}

async function isInstalled() {
  return run('sqlite3', ['--version']).then(
    () => true,
    () => false,
  );
}
