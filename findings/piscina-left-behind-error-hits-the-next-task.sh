#!/usr/bin/env bash
# Piscina: a task leaves a promise behind that is rejected after the task has resolved. The error ends the thread, and
# `run()` rejects with it for whatever runs there by then. The task that left it behind has succeeded; another one is
# told to have failed, with an error of code that it never ran.
#
# piscina 5.3.2, Node 20.20, one thread, tasks one after the other.
# Seen:
#   careless: resolved with "done"
#   innocent: rejected with "left behind by careless"
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund piscina@5.3.2 >> npm.log 2>&1 || { cat npm.log; exit 2; }

cat > task.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
export const careless = async () => {
  void sleep(200).then(() => {
    throw new Error('left behind by careless');
  });
  return 'done';
};
export const innocent = async () => {
  await sleep(2000);
  return 'done';
};
JS
cat > main.mjs <<'JS'
import { Piscina } from 'piscina';
const pool = new Piscina({ filename: new URL('./task.mjs', import.meta.url).href, minThreads: 1, maxThreads: 1 });
for (const name of ['careless', 'innocent']) {
  await pool.run(null, { name }).then(
    (value) => console.log(`${name}: resolved with "${value}"`),
    (error) => console.log(`${name}: rejected with "${error.message}"`),
  );
}
await pool.destroy();
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = 'careless: resolved with "done"
innocent: rejected with "left behind by careless"' ]
