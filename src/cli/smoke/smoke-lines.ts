/** A smoke test in words. */
import { printable } from '../../base/printable.js';
import { formatDuration } from '../../base/units.js';
import type { Checkpoint } from '../../smoke/checkpoints.js';
import { summaryOf, type PostConditionResult } from '../../smoke/post-conditions.js';
import type { SmokeReport } from '../../smoke/smoke-test.js';
import type { Color, Paint } from '../screen/color.js';
import { table } from '../screen/table.js';

/** Where the times stand; a longer line pushes its own to the right. */
const TIME_COLUMN = 72;

const COLORS: Record<string, Color> = {
  PASSED: 'green',
  SUCCESS: 'green',
  FAILED: 'red',
  EXCEPTION: 'red',
  STALLED: 'yellow',
  CANCELLED: 'yellow',
};

/** One line, with the time since the process started. */
export function checkpointLine({ number, text, atMs }: Checkpoint, paint: Paint): string {
  const line = `CHECKPOINT ${number}/8: ${printable(text)}`;
  const time = `+${Math.round(atMs)}ms`;
  const gap = ' '.repeat(Math.max(2, TIME_COLUMN - line.length - time.length));
  const colored = line.replace(/\b[A-Z]+\b(?= \(|$)/, (word) => (COLORS[word] ? paint(COLORS[word], word) : word));
  return `${colored}${gap}${paint('dim', time)}\n`;
}

/** The summary, then a line for each condition: how it went, what was found, how long that took. */
export function conditionLines(results: readonly PostConditionResult[], paint: Paint): string {
  const rows = results.map((result) => {
    const { name, actual, diagnostic, durationMs } = result;
    const [color, word] = verdictOf(result);
    const found = printable(diagnostic ?? actual);
    return [`  ${paint(color, word)}`, printable(name), paint('dim', formatDuration(durationMs)), found];
  });
  return `  ${summaryOf(results.map(onOneLine))}\n${table(rows)}`;
}

function onOneLine({ name, diagnostic, ...result }: PostConditionResult): PostConditionResult {
  return { ...result, name: printable(name), ...(diagnostic !== undefined && { diagnostic: printable(diagnostic) }) };
}

function verdictOf({ ok, severity }: PostConditionResult): [Color, string] {
  if (ok) return ['green', 'ok'];
  return severity === 'fail' ? ['red', 'FAILED'] : ['yellow', 'warning'];
}

/** What `--json` prints. */
export function smokeDocument({ result, checkpoints, postConditions, error }: SmokeReport, exitCode: number): object {
  const { code } = (error ?? {}) as { code?: unknown };
  return {
    schema: 1,
    result,
    exitCode,
    checkpoints,
    summary: postConditions.length > 0 ? summaryOf(postConditions) : null,
    postConditions,
    error: error ? { name: error.name, ...(typeof code === 'string' && { code }), message: error.message } : null,
  };
}
