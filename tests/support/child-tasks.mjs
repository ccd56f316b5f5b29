// @ts-check
/** Handlers that start programs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('../../dist/runtime/thread/context.js').TaskContext} Context */

const dir = /** @type {string} */ (process.env['HOLD_DIR']);

/**
 * All that hears no SIGTERM: the program, one in its group, one in a session of
 * its own, one that has lost its parent as well, and one without our environment.
 */
const TREE = `
trap '' TERM
echo $$ >> pids
sh -c 'echo $$ >> pids; exec sleep 300' &
setsid sh -c 'echo $$ >> pids; sleep 300; sleep 300' &
(setsid sh -c 'echo $$ >> pids; exec sleep 300' &)
env -i /bin/sh -c 'echo $$ >> pids; exec sleep 300' &
wait
`;

/** Starts the tree; at the next attempt, gives those of it that live. @param {string} end of its thread @param {Context} context */
export async function tree(end, { exec }) {
  if (existsSync(join(dir, 'pids'))) return pids().filter(lives);
  const timer = setInterval(() => {
    if (existsSync(join(dir, 'end'))) endThread(end);
  }, 5);
  await exec('sh', ['-c', TREE], { cwd: dir });
  clearInterval(timer);
}

/** Starts it, and does not wait for it. @param {unknown} _ @param {Context} context */
export async function forget(_, { spawn }) {
  void spawn('sh', ['-c', TREE], { cwd: dir });
  while (!existsSync(join(dir, 'pids')) || pids().length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  return 'forgotten';
}

/** The same, and turns the event loop no more. @param {unknown} _ @param {Context} context */
export async function treeAndSpin(_, { spawn }) {
  if (existsSync(join(dir, 'pids'))) return pids().filter(lives);
  void spawn('sh', ['-c', TREE], { cwd: dir });
  while (!existsSync(join(dir, 'pids')) || pids().length < 5);
  for (;;);
}

export function pids() {
  return readFileSync(join(dir, 'pids'), 'utf8').split('\n').filter(Boolean).map(Number);
}

/** @param {number} pid */
function lives(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** @param {string} how */
function endThread(how) {
  if (how === 'exit') process.exit(1);
  if (how === 'throw') throw new Error('nobody catches this');
  const grown = [];
  for (;;) grown.push(new Array(1e5).fill(grown.length));
}

/** @param {string} text @param {Context} context */
export async function print(text, { exec }) {
  const { stdout } = await exec('sh', ['-c', `echo ${text}; echo ${text} of stderr >&2`], {
    stdout: 'inherit',
    stderr: ['inherit', 'pipe'],
  });
  return stdout ?? null;
}

/** @param {string} text @param {Context} context */
export async function through(text, { exec, spawn }) {
  const child = spawn('cat');
  child.stdin.end(text);
  const [{ stdout }, empty, failed] = await Promise.all([
    child,
    exec('cat'),
    exec('sh', ['-c', 'exit 7'], { reject: false }),
  ]);
  return [stdout, empty.stdout, failed.exitCode];
}
