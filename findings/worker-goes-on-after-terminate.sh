#!/usr/bin/env bash
# worker.terminate() while the worker is in a native call: when the call returns, the statements after it still run,
# native ones too. A row is committed by a worker that was "terminated" a second before.
#
# Execution ends where V8 next looks for interrupts: at a loop's end, at a call of JavaScript; a straight line of calls
# of native functions has none of these. So a lock or lease that is given up once terminate() was called is given up
# too early: wait for the promise, or fence the writes.
#
# better-sqlite3 12.11.1, Node 20.20.
# Seen:
#   rows when terminate() was called: 0
#   rows when the worker was gone: 1
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund better-sqlite3@12.11.1 >> npm.log 2>&1 || { cat npm.log; exit 2; }

cat > main.mjs <<'JS'
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
const db = new Database('rows.db');
db.exec('create table t (n)');
const rows = () => db.prepare('select count(*) from t').pluck().get();
const worker = new Worker(new URL('./worker.mjs', import.meta.url));
await once(worker, 'message');
await sleep(300);
const ended = worker.terminate();
console.log(`rows when terminate() was called: ${rows()}`);
await ended;
console.log(`rows when the worker was gone: ${rows()}`);
JS
cat > worker.mjs <<'JS'
import { parentPort } from 'node:worker_threads';
import Database from 'better-sqlite3';
const db = new Database('rows.db');
const insert = db.prepare('insert into t values (1)');
// One long native call: SQLite counts for some seconds.
const count = db.prepare('with recursive c(n) as (select 1 union all select n + 1 from c where n < 20000000) select max(n) from c');
parentPort.postMessage('ready');
setTimeout(() => {
  count.get();
  insert.run();
}, 50);
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = "rows when terminate() was called: 0
rows when the worker was gone: 1" ]
