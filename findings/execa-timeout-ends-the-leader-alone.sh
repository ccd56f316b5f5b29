#!/usr/bin/env bash
# execa's `timeout` (and `cancelSignal`, and kill()) end the program that was started, and none that it started: a shell
# is ended, its pipeline goes on. `detached: true` gives the group an id of its own, and it is still the leader alone
# that is sent the signal; it also switches off `cleanup`, so that an exit of the parent leaves all of it.
#
# execa 9.6.1, Node 20.20, Linux.
# Seen (what of the pipeline lives a second after the timeout was told):
#   timeout: timed out, sleep goes on
#   timeout, detached: timed out, sleep goes on
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund execa@9.6.1 >> npm.log 2>&1 || { cat npm.log; exit 2; }

cat > main.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
function lives(pid) {
  try {
    return process.kill(pid, 0) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
for (const options of [{}, { detached: true }]) {
  const name = ['timeout', ...Object.keys(options)].join(', ');
  const script = 'sleep 20 & echo $! > pid; wait';
  const { timedOut } = await execa('sh', ['-c', script], { timeout: 500, reject: false, stdio: 'ignore', ...options });
  await sleep(1000);
  const pid = Number(readFileSync('pid', 'utf8'));
  console.log(`${name}: ${timedOut ? 'timed out' : 'not timed out'}, sleep ${lives(pid) ? 'goes on' : 'has ended'}`);
  if (lives(pid)) process.kill(pid, 'SIGKILL');
}
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = "timeout: timed out, sleep goes on
timeout, detached: timed out, sleep goes on" ]
