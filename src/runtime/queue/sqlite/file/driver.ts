/** The one file that knows how SQLite is opened. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.js';

/** From this major version on, better-sqlite3 is for Node 22 and newer: an older one ends by a segmentation fault. */
const FIRST_FOR_NODE_22 = 13;

/**
 * Opens a database file, and makes it unless `readonly` is set.
 *
 * @throws HoldfastError `ERR_QUEUE_DRIVER` where the driver that is installed is not for this Node; what the driver throws
 */
export function openDatabase(path: string, options: Database.Options): Database.Database {
  const { node } = process.versions;
  // On a newer one, every version of it works.
  if (majorOf(node) < 22) refuseTooNew(driverVersion(), node);
  return new Database(path, NATIVE === undefined ? options : { ...options, nativeBinding: NATIVE });
}

/**
 * Where version 12 has its native part. By itself it looks for it in a dozen places, which takes 4 ms. `undefined`:
 * it was put elsewhere, or it is a version that looks in no more than one.
 */
const NATIVE = nativePart();

function nativePart(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  const file = join(dirname(resolve('better-sqlite3/package.json')), 'build/Release/better_sqlite3.node');
  return existsSync(file) ? file : undefined;
}

/** npm chooses by the Node that it runs with; other package managers, and a Node that was changed since, may not fit. */
export function refuseTooNew(driver: string, node: string): void {
  if (majorOf(driver) < FIRST_FOR_NODE_22 || majorOf(node) >= 22) return;
  throw new HoldfastError(
    'ERR_QUEUE_DRIVER',
    `better-sqlite3 ${driver} is for Node 22 and newer, and this is ${node}`,
    {
      hint: 'Install the version for this Node: npm install better-sqlite3@12. Or use a newer Node.',
    },
  );
}

function driverVersion(): string {
  const { version } = createRequire(import.meta.url)('better-sqlite3/package.json') as { version: string };
  return version;
}

const majorOf = (version: string) => Number(version.split('.', 1)[0]);
