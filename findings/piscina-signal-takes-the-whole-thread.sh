#!/usr/bin/env bash
# Piscina with concurrentTasksPerWorker: a task that is given an AbortSignal shares its thread with no other, and none
# joins it. A signal on each task, the usual way to make them cancellable, turns the concurrency off, in silence.
#
# piscina 5.3.2, Node 20.20. Eight tasks that wait for 300 ms each, one thread, four tasks a thread.
# Seen (how many tasks were under way at once, at most):
#   without signals: 4
#   with signals: 1
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund piscina@5.3.2 >> npm.log 2>&1 || { cat npm.log; exit 2; }

cat > task.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
let now = 0;
let most = 0;
export default async () => {
  most = Math.max(most, ++now);
  await sleep(300);
  now--;
  return most;
};
JS
cat > main.mjs <<'JS'
import { Piscina } from 'piscina';
async function most(optionsOf) {
  const pool = new Piscina({
    filename: new URL('./task.mjs', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 4,
  });
  const all = await Promise.all(Array.from({ length: 8 }, () => pool.run(null, optionsOf())));
  await pool.destroy();
  return Math.max(...all);
}
console.log(`without signals: ${await most(() => ({}))}`);
console.log(`with signals: ${await most(() => ({ signal: new AbortController().signal }))}`);
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = "without signals: 4
with signals: 1" ]
