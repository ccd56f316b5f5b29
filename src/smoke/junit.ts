/** A smoke test as CI servers read it. Loads its builder when called: 15 ms that most tests need not spend. */
import type { Builder } from 'junit-report-builder';
import { CHECKPOINTS } from './checkpoints.js';
import type { PostConditionResult } from './post-conditions.js';
import type { SmokeReport } from './smoke-test.js';

/** JUnit XML: a case for each checkpoint, skipped where it was not reached, and one for each post-condition. */
export async function junitXml({ result, checkpoints, postConditions, error }: SmokeReport): Promise<string> {
  // Its types tell of a default export within the default export, and there is none.
  const { default: junit } = (await import('junit-report-builder')) as unknown as { default: Builder };
  const builder = junit.newBuilder();
  const boot = builder.testSuite().name('runtime smoke: checkpoints');
  const reached = new Map(checkpoints.map((checkpoint) => [checkpoint.number, checkpoint]));
  let before = 0;
  CHECKPOINTS.forEach((title, index) => {
    const number = index + 1;
    const checkpoint = reached.get(number);
    const one = boot.testCase().className('smoke.checkpoints').name(`${number}/8 ${title}`);
    if (checkpoint === undefined) {
      one.skipped();
      return;
    }
    // What it took to come here from the one before.
    one.time(seconds(checkpoint.atMs - before));
    before = checkpoint.atMs;
    one.standardOutput(cdata(checkpoint.text));
    if (number === 6) one.failure(checkpoint.text, 'stalled');
    if (number === 8 && error !== undefined) one.error(error.message, error.name, cdata(stackOf(error)));
    if (number === 8 && result === 'cancelled') one.error(checkpoint.text, result);
  });
  const checks = builder.testSuite().name('runtime smoke: post-conditions');
  for (const condition of postConditions) {
    const one = checks.testCase().className('smoke.post-conditions').name(condition.name);
    one.time(seconds(condition.durationMs)).standardOutput(cdata(describe(condition)));
    if (!condition.ok && condition.severity === 'fail') one.failure(condition.diagnostic, 'post-condition');
  }
  return builder.build();
}

/**
 * A text for a CDATA section. What ends one is made harmless here: xmlbuilder
 * 15.1.1 does so with the first only, and the rest makes the XML invalid.
 */
function cdata(text: string): string {
  return text.replaceAll(']]>', ']] >');
}

function seconds(ms: number): number {
  return Number((ms / 1_000).toFixed(6));
}

function describe({ ok, severity, expected, actual, diagnostic }: PostConditionResult): string {
  const lines = [`expected: ${expected}`, `actual: ${actual}`];
  // To a CI server it has passed, so the text has to say it. One that failed has its diagnostic as such.
  return (!ok && severity === 'warn' ? [`WARNING: ${diagnostic}`, ...lines] : lines).join('\n');
}

/** Where it came from: of a handler that threw, the place in the handler. */
function stackOf({ stack, cause }: Error): string {
  return (cause instanceof Error ? cause.stack : undefined) ?? stack ?? '';
}
