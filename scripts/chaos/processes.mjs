// @ts-check
/** The processes that the command under test is made of, as the system names them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const HAS_PROC = existsSync('/proc/self/task');

/** What processes of the runtime run, as modules and as a bundle. */
const SCRIPTS = {
  executor: ['executor-process.js', 'executor.cjs'],
  keeper: ['keeper-process.js', 'keeper.cjs'],
};

/** The process of a kind that another one has started. @param {number} pid @param {keyof typeof SCRIPTS} kind @returns {number | undefined} */
export function childOf(pid, kind) {
  if (!HAS_PROC) return SCRIPTS[kind].map((script) => pgrep(pid, script)).find((found) => found !== undefined);
  return childrenOf(pid).find((child) => argumentsOf(child).some((arg) => SCRIPTS[kind].includes(basename(arg))));
}

/** @param {number} pid @returns {number[]} */
function childrenOf(pid) {
  const children = threadsOf(pid).map((thread) => read(`/proc/${pid}/task/${thread}/children`));
  return children
    .join(' ')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);
}

/** A child belongs to the thread that has started it. @param {number} pid */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has just ended
  }
}

/** @param {number} pid */
function argumentsOf(pid) {
  return read(`/proc/${pid}/cmdline`).split('\0');
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

/** Where there is no /proc. @param {number} pid @param {string} script */
function pgrep(pid, script) {
  try {
    const found = Number.parseInt(execFileSync('pgrep', ['-f', '-P', String(pid), script], { encoding: 'utf8' }), 10);
    return Number.isNaN(found) ? undefined : found;
  } catch {
    return undefined; // it has no such child
  }
}
