import { inspect } from 'node:util';
import { printableLines } from '../../base/printable.js';
import type { EarlierAttempt, Encoded, Outcome } from '../../runtime/task/task.js';
import { decode } from '../../runtime/task/codec.js';

/**
 * An outcome as a line of NDJSON, with its input if that is there. A value that JSON cannot hold (a Map, a
 * Buffer, a BigInt …) is shown as `{"$inspect": "Map(1) {…}"}`.
 */
export function outcomeLine(outcome: Outcome): string {
  const { id, handler, state, attempts, crashes, result, error, startedAt, durationMs, thread } = outcome;
  const { input, version, earlierAttempts } = outcome;
  const name = JSON.stringify({ id, handler }).slice(0, -1);
  const ending = JSON.stringify({ state, attempts, crashes }).slice(1, -1);
  const head = input === undefined ? `${name},${ending}` : `${name},"input":${valueText(input)},${ending}`;
  const tail = JSON.stringify({
    ...(error !== undefined && { error }),
    ...(earlierAttempts !== undefined && { earlierAttempts: earlierAttempts.map(withTime) }),
    ...times({ startedAt, durationMs }),
    thread,
    ...(version !== undefined && { version }),
  }).slice(1);
  // Input and result are JSON text already: to parse it and print it again could only change it.
  const line = result === undefined ? `${head},${tail}` : `${head},"result":${valueText(result)},${tail}`;
  return `${printableLines(line)}\n`;
}

function withTime(attempt: EarlierAttempt): unknown {
  return { ...attempt, ...times(attempt) };
}

function times({ startedAt, durationMs }: Pick<Outcome, 'startedAt' | 'durationMs'>) {
  return {
    startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
}

function valueText(value: Encoded): string {
  if (typeof value === 'string') return value;
  return JSON.stringify({
    $inspect: inspect(decode(value), { depth: 10, maxArrayLength: 1000, breakLength: Infinity }),
  });
}
