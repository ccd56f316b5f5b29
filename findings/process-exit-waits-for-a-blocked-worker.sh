#!/usr/bin/env bash
# process.exit() in the main thread, while a worker sits in a native call that blocks: the process ends when that call
# returns, however long it takes. So does an uncaught error, and a main thread that has nothing left to do after
# `worker.terminate()`. What ends it at once is a signal from outside, or SIGKILL to itself.
#
# Node 20.20, Linux. The worker's call takes five seconds.
# Seen:
#   process.exit(0): ended after 5 s
#   SIGKILL to itself: ended after 1 s
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2

cat > main.mjs <<'JS'
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
const blocks = `
  require('node:worker_threads').parentPort.postMessage('ready');
  setTimeout(() => require('node:child_process').spawnSync('sleep', ['5']), 50);`;
await once(new Worker(blocks, { eval: true }), 'message');
await sleep(500);
if (process.argv[2] === 'exit') process.exit(0);
process.kill(process.pid, 'SIGKILL');
JS
seconds() {
  local begun=$SECONDS
  node main.mjs "$1" > /dev/null 2>&1
  echo $((SECONDS - begun))
}
exit=$(seconds exit)
kill=$(seconds kill)
echo "process.exit(0): ended after $exit s"
echo "SIGKILL to itself: ended after $kill s"
[ "$exit" -ge 4 ] && [ "$kill" -le 3 ]
