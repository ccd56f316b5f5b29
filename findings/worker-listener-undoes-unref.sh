#!/usr/bin/env bash
# worker.unref(), and then worker.on('message', …): the listener takes the worker back among what keeps the process
# alive, in silence. In the other order it stays unreferenced. So a pool that first sets its workers up and later
# listens to one (a `once` for a single answer is enough) has a process that does not end.
#
# Node 20.20.
# Seen:
#   listen, then unref: ended by itself
#   unref, then listen: still there after 3 s
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2

cat > main.mjs <<'JS'
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
const worker = new Worker(`require('node:worker_threads').parentPort.on('message', () => {})`, { eval: true });
await once(worker, 'online');
if (process.argv[2] === 'last') worker.unref();
worker.on('message', () => {});
if (process.argv[2] === 'first') worker.unref();
// Keeps nothing alive itself: it fires only if the worker does.
setTimeout(() => process.exit(7), 3000).unref();
JS
told() {
  timeout 10 node main.mjs "$1"
  case $? in
    0) echo 'ended by itself' ;;
    7) echo 'still there after 3 s' ;;
    *) echo 'something else' ;;
  esac
}
seen="listen, then unref: $(told first)
unref, then listen: $(told last)"
echo "$seen"
[ "$seen" = "listen, then unref: ended by itself
unref, then listen: still there after 3 s" ]
