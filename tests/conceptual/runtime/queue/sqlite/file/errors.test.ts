import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { inQueueWords, isStoreTrouble } from '../../../../../../dist/runtime/queue/sqlite/file/errors.js';
import { tempDir } from '../../../../../support/temp-dir.js';

function told(path: string, error: Error): unknown {
  try {
    inQueueWords(path, () => {
      throw error;
    });
  } catch (caught) {
    return caught;
  }
  throw new Error('nothing was thrown');
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'open' });
}

test.each([
  ['SQLITE_FULL', 'ERR_QUEUE_DISK_FULL'],
  ['SQLITE_CORRUPT_INDEX', 'ERR_QUEUE_CORRUPT'],
  ['SQLITE_NOTADB', 'ERR_QUEUE_CORRUPT'],
  ['SQLITE_BUSY_RECOVERY', 'ERR_QUEUE_BUSY'],
  ['SQLITE_LOCKED', 'ERR_QUEUE_BUSY'],
  ['SQLITE_READONLY_DIRECTORY', 'ERR_QUEUE_READ_ONLY'],
  ['SQLITE_PERM', 'ERR_QUEUE_READ_ONLY'],
  ['SQLITE_IOERR_FSYNC', 'ERR_QUEUE_IO'],
  ['SQLITE_NOMEM', 'ERR_QUEUE_IO'],
])('SQLite says %s: %s, with the path, the cause and what to do next', (code, expected) => {
  const path = join(tempDir(), 'queue.db');
  const error = new Database.SqliteError('as SQLite says it', code);
  const queueError = told(path, error);
  expect(queueError).toMatchObject({ code: expected, cause: error, hint: expect.stringMatching(/\w/) as string });
  expect((queueError as Error).message).toContain(path);
  expect((queueError as Error).message).toContain('as SQLite says it');
  expect(isStoreTrouble(queueError)).toBe(true);
});

test.each([
  ['ENOSPC', 'ERR_QUEUE_DISK_FULL'],
  ['EDQUOT', 'ERR_QUEUE_DISK_FULL'],
  ['EACCES', 'ERR_QUEUE_READ_ONLY'],
  ['EROFS', 'ERR_QUEUE_READ_ONLY'],
  ['EIO', 'ERR_QUEUE_IO'],
])('the file system says %s: %s', (code, expected) => {
  expect(told(join(tempDir(), 'queue.db'), systemError(code))).toMatchObject({ code: expected });
});

test('an error in a folder that is gone is still told', () => {
  const path = join(tempDir(), 'gone', 'queue.db');
  expect(told(path, new Database.SqliteError('', 'SQLITE_IOERR_WRITE'))).toMatchObject({ code: 'ERR_QUEUE_IO' });
});

/** What the driver throws when it cannot load what npm should have built. */
function driverError(open: () => unknown): Error {
  try {
    open();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it loads');
}

test.each([
  [
    'was not built',
    (dir: string) =>
      createRequire(import.meta.resolve('better-sqlite3'))('bindings')({ bindings: 'none', module_root: dir }),
  ],
  [
    'was built for another system',
    (dir: string) => {
      writeFileSync(join(dir, 'other.node'), 'no program');
      return new Database(':memory:', { nativeBinding: join(dir, 'other.node') });
    },
  ],
])('a driver that %s is told in one line, with the command that builds it', (_case, open) => {
  const dir = tempDir();
  const error = driverError(() => open(dir));
  const queueError = told(join(dir, 'queue.db'), error);
  const hint = expect.stringContaining('npm rebuild better-sqlite3') as string;
  expect(queueError).toMatchObject({ code: 'ERR_QUEUE_DRIVER', cause: error, hint });
  expect((queueError as Error).message).not.toContain('\n');
});

test("an error that is not the store's own comes as it was", () => {
  const error = new TypeError('a mistake in a call');
  expect(told('queue.db', error)).toBe(error);
  expect(isStoreTrouble(error)).toBe(false);
});
