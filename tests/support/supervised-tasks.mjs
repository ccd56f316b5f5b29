// @ts-check
/** Handlers that end well, wait to be let go, or take their process down. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ taskId: string, attempt: number, signal: AbortSignal }} Context */

const dir = /** @type {string} */ (process.env['HOLD_DIR']);

/** @param {unknown} input */
export function echo(input) {
  return input;
}

/** Says that it runs, and ends once it may. @param {string} go name of a file @param {Context} context */
export async function hold(go, { taskId, signal }) {
  writeFileSync(join(dir, `${taskId}.runs`), '');
  while (!existsSync(join(dir, go))) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.pid;
}

/** Hears nothing. @param {unknown} _ @param {Context} context */
export function spin(_, { taskId }) {
  writeFileSync(join(dir, `${taskId}.runs`), '');
  for (;;);
}

/** In native code that does not return before the process ends whose pid is in the file `blocker`. */
export function block() {
  execFileSync('sh', ['-c', 'echo $$ > blocker.tmp; mv blocker.tmp blocker; exec sleep 300'], { cwd: dir });
}

/** @param {NodeJS.Signals} signal */
export function raise(signal) {
  process.kill(process.pid, signal);
  for (;;); // it has not arrived yet
}

export function abort() {
  process.abort();
}
