// @ts-check
/** What a process and those it has started hold in memory, as Linux says it in /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * @typedef {object} ProcessMemory
 * @property {string} name its script, such as `main.js`; else its program
 * @property {number} peak highest resident memory so far, MB
 * @property {number} resident MB
 * @property {number | undefined} proportional MB, where what several processes share counts in parts; `undefined`: not
 *   told here
 */

/**
 * Of a process and of all below it. Other programs than Node, such as the reaper's shell, are left out.
 *
 * @param {number} pid
 * @returns {ProcessMemory[]} the process itself first; without /proc none
 */
export function memoryOfTree(pid) {
  return processTree(pid).flatMap((each) => {
    const status = read(`/proc/${each}/status`);
    const peak = megabytes(status, 'VmHWM');
    const resident = megabytes(status, 'VmRSS');
    if (peak === undefined || resident === undefined) return []; // it has just ended
    return [
      { name: scriptOf(each), peak, resident, proportional: megabytes(read(`/proc/${each}/smaps_rollup`), 'Pss') },
    ];
  });
}

/** A process and all Node processes below it. @param {number} pid @returns {number[]} */
export function processTree(pid) {
  return [pid, ...childrenOf(pid).filter(isNode).flatMap(processTree)];
}

/** @param {number} pid @returns {number[]} */
function childrenOf(pid) {
  let threads;
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has just ended, or there is no /proc
  }
  return threads.flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

/** @param {number} pid */
function isNode(pid) {
  return basename(argumentsOf(pid)[0] ?? '').startsWith('node');
}

/** The script that a Node process runs. @param {number} pid */
function scriptOf(pid) {
  const args = argumentsOf(pid);
  return basename(args.find((arg) => /\.[cm]?js$/.test(arg)) ?? args[0] ?? '');
}

/** @param {number} pid */
function argumentsOf(pid) {
  return read(`/proc/${pid}/cmdline`).split('\0');
}

/** @param {string} text @param {string} field */
function megabytes(text, field) {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
