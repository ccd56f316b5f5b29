import { inspect } from 'node:util';
import { printableLines } from '../runtime/printable.js';
import type { Encoded, Outcome } from '../runtime/task.js';
import { decode } from '../runtime/thread/codec.js';

/**
 * An outcome as a line of NDJSON. A result that JSON cannot hold (a Map, a
 * Buffer, a BigInt …) is shown as `{"$inspect": "Map(1) {…}"}`.
 */
export function outcomeLine(outcome: Outcome): string {
  const { id, handler, state, attempts, crashes, result, error, startedAt, durationMs, thread } = outcome;
  const head = JSON.stringify({ id, handler, state, attempts, crashes }).slice(0, -1);
  const tail = JSON.stringify({
    ...(error !== undefined && { error }),
    startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
    durationMs: Math.round(durationMs * 1000) / 1000,
    thread,
  }).slice(1);
  // The result is JSON text already: to parse it and print it again could only change it.
  const line = result === undefined ? `${head},${tail}` : `${head},"result":${resultText(result)},${tail}`;
  return `${printableLines(line)}\n`;
}

function resultText(result: Encoded): string {
  if (typeof result === 'string') return result;
  return JSON.stringify({
    $inspect: inspect(decode(result), { depth: 10, maxArrayLength: 1000, breakLength: Infinity }),
  });
}
