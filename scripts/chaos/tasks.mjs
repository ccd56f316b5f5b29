// @ts-check
/** The handlers that a chaos run runs. */
import { createHash } from 'node:crypto';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { clock, formatLine } from './evidence.mjs';
import { answer } from './plan.mjs';

/** @typedef {{ number: number, ms: number }} Input */
/** @typedef {{ taskId: string, attempt: number, fencingToken: number }} Context */

const evidence = openSync(/** @type {string} */ (process.env['CHAOS_EVIDENCE']), 'a');
const state = /** @type {string} */ (process.env['CHAOS_STATE']);

/** @param {'start' | 'end'} kind @param {Context} context */
function tell(kind, { taskId, attempt, fencingToken }) {
  const at = clock();
  const line = { kind, task: taskId, attempt, pid: process.pid, token: fencingToken, thread: threadId, at };
  writeSync(evidence, formatLine(line));
  return at;
}

/** By `at` the recorded outcome can be traced to the attempt that it is of. @param {Input} input @param {Context} context */
function finish({ number }, context) {
  return { answer: answer(number), token: context.fencingToken, at: tell('end', context) };
}

/** @param {Input} input @param {Context} context */
export function spin(input, context) {
  tell('start', context);
  const end = performance.now() + input.ms;
  while (performance.now() < end);
  return finish(input, context);
}

/** @param {Input} input @param {Context} context */
export async function wait(input, context) {
  tell('start', context);
  await new Promise((resolve) => setTimeout(resolve, input.ms));
  return finish(input, context);
}

/**
 * Copies and hashes the state folder, as a backup does: each of its files is
 * opened, read, and closed, those of the queue too.
 * @param {Input} input @param {Context} context
 */
export function copy(input, context) {
  tell('start', context);
  // Beside the state folder: it goes with the run, also where its task is killed.
  const backup = mkdtempSync(join(dirname(state), 'backup-'));
  const hash = createHash('sha256');
  for (const entry of readdirSync(state, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      hash.update(bytes);
      writeFileSync(join(backup, basename(entry.name)), bytes);
    } catch {
      // Others write, rename and remove there.
    }
  }
  hash.digest();
  rmSync(backup, { recursive: true });
  return finish(input, context);
}
