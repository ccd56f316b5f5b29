// @ts-check
/** The handlers that a chaos run runs. */
import { openSync, writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { clock, formatLine } from './evidence.mjs';
import { answer } from './plan.mjs';

/** @typedef {{ number: number, ms: number }} Input */
/** @typedef {{ taskId: string, attempt: number, fencingToken: number }} Context */

const evidence = openSync(/** @type {string} */ (process.env['CHAOS_EVIDENCE']), 'a');

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
