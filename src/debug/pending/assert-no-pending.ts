import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError, InvalidInputError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { printable } from '../../base/printable.js';
import { MAX_DURATION_MS } from '../../base/units.js';
import { leftPending, type LeftPending } from './pending-functions.js';
import { pendingText } from './pending-text.js';
import { Told, type Untold } from './reported.js';

/** What `assertNoPending` takes. */
export interface AssertNoPendingOptions {
  /**
   * Functions that may stay: by their name, or by an expression for
   * `name (file:line:column)`, the place where they are written. Default none.
   */
  ignore?: readonly (string | RegExp)[];
  /** What ends by itself within so many milliseconds is not pending. Default 100. */
  within?: number;
}

/** What a check has found that did not fail. */
export interface PendingCheck {
  /**
   * Threads that could not be checked, a sentence each: what they are called, and why. Where it is not empty, the
   * check was skipped in part, or as a whole.
   */
  skipped: string[];
}

/** One for all tests of this process. */
const told = new Told();

/** Checks of this process, and how many of them could not look at all threads. */
let checks = 0;
let skips = 0;

/** Characters of a warning. */
const MAX_REASONS = 1_000;

/**
 * Fails when async functions are still waiting that nobody waits for: what a
 * test has started and left behind. For `afterEach` or `afterAll` of any test
 * runner, or the end of a test.
 *
 * Checked are the thread that calls it and, from the main thread, all worker
 * threads; there, tasks of an executor that still run count, too. Each is
 * paused for a few tenths of a second. Only functions of your own are found, not
 * those of packages, and only those that can still go on: one that waits for
 * what nothing can settle any more is garbage, and collected.
 *
 * What has made it fail once, and is still there, does not make it fail again:
 * the tests after the one that left it are innocent. Functions like it do, as
 * far as there are more of them than were reported. One that takes the place of
 * one that was reported, between two calls, cannot be told apart from it.
 *
 * Where a thread cannot be checked, because it would be paused for longer
 * than 5 s on a busy machine, or is in native code, that is no failure of a
 * test: the check is skipped, which a warning on standard error says, with how
 * many were so far, and `skipped` of what it resolves with.
 *
 * @throws HoldfastError `ERR_PENDING`, its message the tree of what they wait for
 */
export async function assertNoPending({
  ignore = [],
  within = 100,
}: AssertNoPendingOptions = {}): Promise<PendingCheck> {
  check(ignore, within);
  checks++;
  if (told.untold(await leftPending({ ignore })).left.length === 0) return { skipped: [] };
  await sleep(within);
  const left = await leftPending({ ignore });
  const untold = told.untold(left);
  if (untold.count === 0) return skipped(untold.left);
  told.add(left);
  throw new HoldfastError('ERR_PENDING', `${headline(untold)}:\n${pendingText(untold.left)}`, {
    hint: 'Await what a test starts, or end it before the test does. What is meant to stay: assertNoPending({ ignore }).',
  });
}

/** Of threads of which nothing could be told. */
function skipped(left: readonly LeftPending[]): PendingCheck {
  const reasons = left.map(({ label, unknown }) => `${label}: ${unknown}`);
  if (reasons.length > 0) {
    skips++;
    const which = `assertNoPending could not look, and skipped a check (${skips} of ${checks} so far)`;
    process.stderr.write(`holdfast: ${which}: ${printable(reasons.join('; '), MAX_REASONS)}\n`);
  }
  return { skipped: reasons };
}

function headline({ count, toldBefore }: Untold): string {
  const besides =
    toldBefore === 0 ? '' : `, besides ${toldBefore} that ${toldBefore === 1 ? 'was' : 'were'} reported before`;
  return `${count === 1 ? '1 async function was' : `${count} async functions were`} left pending${besides}`;
}

function check(ignore: unknown, within: unknown): void {
  const faults: Fault[] = [];
  if (!Array.isArray(ignore) || !ignore.every((what) => typeof what === 'string' || what instanceof RegExp)) {
    faults.push({ where: 'ignore', problem: `must be a list of names and regular expressions, got ${quoted(ignore)}` });
  }
  if (typeof within !== 'number' || !(within >= 0 && within <= MAX_DURATION_MS)) {
    faults.push({ where: 'within', problem: `must be milliseconds, from 0, got ${quoted(within)}` });
  }
  if (faults.length === 0) return;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'these options of assertNoPending are not valid', faults);
}
