#!/usr/bin/env bash
# SQLite in WAL mode, opened by better-sqlite3: a copy of the folder in the same process, and the next program that
# opens the database and closes it deletes the -wal that is in use. What is committed after that goes to an unlinked
# file: every commit succeeds, and is gone with the process.
#
# SQLite's locks are POSIX locks, and those of a process go when it closes *any* descriptor of the file. A copy opens
# and closes one. SQLite keeps account of its own descriptors; it knows nothing of libuv's. It takes both files: copied
# alone, neither the database nor its -shm does any harm.
#
# better-sqlite3 12.11.1, Node 20.20, Linux.
# Seen:
#   nothing copied: 20 of 20 rows, -wal kept
#   rows.db copied: 20 of 20 rows, -wal kept
#   rows.db and rows.db-shm copied: 10 of 20 rows, -wal deleted
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund better-sqlite3@12.11.1 >> npm.log 2>&1 || { cat npm.log; exit 2; }

# Commits ten rows, may copy the file, lets another program look, commits ten more, and dies as by a power cut.
cat > writer.mjs <<'JS'
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import Database from 'better-sqlite3';
const db = new Database('rows.db');
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('create table t (n)');
const insert = db.prepare('insert into t values (?)');
for (let n = 0; n < 10; n++) insert.run(n);
for (const file of process.argv.slice(2)) copyFileSync(file, `${file}.copy`);
spawnSync(process.execPath, ['visitor.mjs'], { stdio: 'inherit' });
console.log(existsSync('rows.db-wal') ? '-wal kept' : '-wal deleted');
for (let n = 0; n < 10; n++) insert.run(n);
process.kill(process.pid, 'SIGKILL');
JS
# Reads one row, and closes what it opened, as any database browser does.
cat > visitor.mjs <<'JS'
import Database from 'better-sqlite3';
const db = new Database('rows.db');
db.prepare('select count(*) from t').get();
db.close();
JS
cat > count.mjs <<'JS'
import Database from 'better-sqlite3';
console.log(new Database('rows.db').prepare('select count(*) from t').pluck().get());
JS

try() {
  local wal rows
  rm -f rows.db*
  wal=$(node writer.mjs "$@" 2> /dev/null)
  rows=$(node count.mjs)
  echo "$rows of 20 rows, $wal"
}
seen="nothing copied: $(try)
rows.db copied: $(try rows.db)
rows.db and rows.db-shm copied: $(try rows.db rows.db-shm)"
echo "$seen"
[ "$seen" = "nothing copied: 20 of 20 rows, -wal kept
rows.db copied: 20 of 20 rows, -wal kept
rows.db and rows.db-shm copied: 10 of 20 rows, -wal deleted" ]
