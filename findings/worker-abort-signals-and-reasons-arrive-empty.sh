#!/usr/bin/env bash
# An AbortSignal in workerData is not refused, as a function would be: it arrives as a plain empty object, whose
# `aborted` is undefined, so that a worker that checks it never stops. And the reason of an abort, a DOMException that
# a worker ends with, arrives as a plain object without name, message or code: it is no Error at all.
# util.transferableAbortSignal() makes a signal that arrives as one.
#
# Node 20.20.
# Seen:
#   signal in workerData: {}, aborted undefined
#   transferable signal: AbortSignal, aborted false
#   ended by an AbortError: {}, an Error: false
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2

cat > main.mjs <<'JS'
import { once } from 'node:events';
import { inspect, transferableAbortSignal } from 'node:util';
import { Worker } from 'node:worker_threads';
const SAYS = `
  const { inspect } = require('node:util');
  const { parentPort, workerData: { signal } } = require('node:worker_threads');
  const kind = signal instanceof AbortSignal ? 'AbortSignal' : inspect(signal);
  parentPort.postMessage(kind + ', aborted ' + signal.aborted);`;
async function told(signal, transferList = []) {
  const [words] = await once(new Worker(SAYS, { eval: true, workerData: { signal }, transferList }), 'message');
  return words;
}
console.log(`signal in workerData: ${await told(new AbortController().signal)}`);
const signal = transferableAbortSignal(new AbortController().signal);
console.log(`transferable signal: ${await told(signal, [signal])}`);
const reason = await new Promise((resolve) => {
  new Worker('AbortSignal.abort().throwIfAborted()', { eval: true }).on('error', resolve);
});
console.log(`ended by an AbortError: ${inspect(reason)}, an Error: ${reason instanceof Error}`);
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = 'signal in workerData: {}, aborted undefined
transferable signal: AbortSignal, aborted false
ended by an AbortError: {}, an Error: false' ]
