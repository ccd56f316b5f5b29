import { writeFileSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.js';
import type { Executor } from '../../runtime/executor.js';
import { printableLines } from '../../base/printable.js';
import { asError, runSmokeTest, type SmokeReport } from '../../smoke/smoke-test.js';
import { dumpLongDrains, endTrace } from '../../runs/trace-of-run.js';
import { openDebugTrace, sayWhere } from '../async-debug.js';
import { hasColor, painter } from '../screen/color.js';
import { abortedBySignals } from '../aborted-by-signals.js';
import { errorText, EXIT, exitCodeOfSignal } from '../exit-code.js';
import { createLog } from '../screen/log.js';
import { resolveSmokeFlags, type GivenToSmoke } from './smoke-flags.js';
import { checkpointLine, conditionLines, smokeDocument } from './smoke-lines.js';
import { tell } from '../screen/terminal.js';

/**
 * `runtime smoke`
 * @param extra arguments that no flag took
 */
export async function smoke(given: GivenToSmoke, extra: readonly string[]): Promise<number> {
  const { settings, json, junit, color } = resolveSmokeFlags(given, extra);
  const paint = painter(hasColor(process.stdout, color));
  const write = takeStdout();
  const signal = abortedFromOutside();
  const trace = await openDebugTrace('smoke');
  if (trace !== undefined) sayWhere(trace);
  const report = await runSmokeTest(settings, {
    signal,
    onCheckpoint: (checkpoint, { postConditions }) => {
      if (json) return;
      write(checkpointLine(checkpoint, paint));
      if (checkpoint.number === 7) write(conditionLines(postConditions, paint));
    },
    onBoot: (executor) => {
      passOnLogs(executor, color);
      if (trace === undefined) return;
      dumpLongDrains(executor, trace);
      void trace.start();
    },
    onStopping: () => endTrace(trace),
  });
  // Unless that is done: of a boot that has not ended, too.
  await endTrace(trace, report.result === 'cancelled');
  const exitCode = exitCodeOf(report, signal.reason as NodeJS.Signals);
  if (report.error !== undefined && !isToldAlready(report.error)) process.stderr.write(errorText(report.error));
  if (json) write(`${printableLines(JSON.stringify(smokeDocument(report, exitCode), toMicroseconds))}\n`);
  if (junit === undefined) return exitCode;
  try {
    const { junitXml } = await import('../../smoke/junit.js');
    writeFileSync(junit, await junitXml(report));
    return exitCode;
  } catch (error) {
    tell(`runtime: --junit: ${(error as Error).message}`);
    return exitCode === EXIT.ok ? EXIT.failure : exitCode;
  }
}

/** What the post-conditions found stands in their lines. */
function isToldAlready(error: Error): boolean {
  return error instanceof HoldfastError && error.code === 'ERR_POST_CONDITION';
}

/** Milliseconds with more than three digits behind the point tell of nothing. */
function toMicroseconds(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}

/** 2, where no event came: what did not hold after that is no wonder. */
function exitCodeOf({ result }: SmokeReport, signal: NodeJS.Signals): number {
  switch (result) {
    case 'success':
      return EXIT.ok;
    case 'exception':
      return EXIT.failure;
    case 'stalled':
      return EXIT.stalled;
    case 'cancelled':
      return exitCodeOfSignal(signal);
  }
}

/** What is in the temporary folder goes, whatever ends the test. */
function abortedFromOutside(): AbortSignal {
  const controller = abortedBySignals();
  // What nobody catches, of an event source's timer for one, ends the test as any exception does: with its reports.
  process.on('uncaughtException', (error: unknown) => controller.abort(asError(error)));
  return controller.signal;
}

/** Gives what writes to standard output. Whatever else is written there, by a handler for one, goes to standard error. */
function takeStdout(): (text: string) => void {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return write;
}

/** What handlers log goes to standard error. */
function passOnLogs(executor: Executor, color: boolean): void {
  const log = createLog({ quiet: false, color });
  executor.on('log', ({ level, message, fields, taskId, thread }) => {
    if (level !== 'debug') log[level]({ task: taskId, thread, ...fields }, message);
  });
}
