/** Named checks after something has run: all of them run, each tells what it expected and what it found. */
import { HoldfastError } from '../base/errors.js';
import { quoted } from '../base/faults.js';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../base/units.js';
import type { SmokeContext } from './context.js';
import { counted } from '../base/counted.js';

/** `warn`: reported, and never a failure. */
export type Severity = 'fail' | 'warn';

/** What a check found. */
export interface Finding {
  ok: boolean;
  /** What was found, in words, whether that is right or wrong. */
  actual: string;
  /** What is wrong, in words. Default: what was expected and what was found. */
  diagnostic?: string;
}

/** One check. `Context` is what it checks; in a smoke test, a `SmokeContext`. */
export interface PostCondition<Context = SmokeContext> {
  name: string;
  /** Default `fail`. */
  severity?: Severity;
  /** What ought to be, in words. */
  expected: string;
  /** An exception counts as a failure, and so does anything else than a `Finding`. */
  check(context: Context): Finding | Promise<Finding>;
}

/** What one check came to. */
export interface PostConditionResult {
  name: string;
  ok: boolean;
  severity: Severity;
  expected: string;
  actual: string;
  /** Only when not ok. */
  diagnostic?: string;
  durationMs: number;
}

/** What `runPostConditions` takes. */
export interface PostConditionOptions {
  /** How long each one may take: milliseconds, or a text such as `2s`. Default `10s`. One that takes longer has failed. */
  deadline?: number | string;
}

/**
 * Runs the conditions one after the other, whatever becomes of those before.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if the deadline is not a duration
 */
export async function runPostConditions<Context>(
  conditions: readonly PostCondition<Context>[],
  context: Context,
  { deadline = 10_000 }: PostConditionOptions = {},
): Promise<PostConditionResult[]> {
  const deadlineMs = typeof deadline === 'string' ? parseDuration(deadline) : deadline;
  if (!(deadlineMs > 0 && deadlineMs <= MAX_DURATION_MS)) {
    throw new HoldfastError('ERR_INVALID_OPTIONS', `deadline must be a duration above 0, got ${quoted(deadline)}`);
  }
  const results: PostConditionResult[] = [];
  for (const condition of conditions) results.push(await run(condition, context, deadlineMs));
  return results;
}

/** `All post-conditions PASSED (4 checks)`, or `FAILED: name: diagnostic | …`. */
export function summaryOf(results: readonly PostConditionResult[]): string {
  const failed = results.filter(isFailure);
  if (failed.length > 0) return `FAILED: ${failed.map(({ name, diagnostic }) => `${name}: ${diagnostic}`).join(' | ')}`;
  const warnings = results.filter(({ ok }) => !ok).length;
  const counts = [counted(results.length, 'check'), ...(warnings > 0 ? [counted(warnings, 'warning')] : [])];
  return `All post-conditions PASSED (${counts.join(', ')})`;
}

/**
 * Does nothing if all conditions hold, but for those that only warn.
 *
 * @throws HoldfastError `ERR_POST_CONDITION` with the summary of those that do not hold
 */
export function assertPostConditions(results: readonly PostConditionResult[]): void {
  if (results.some(isFailure)) throw new HoldfastError('ERR_POST_CONDITION', summaryOf(results));
}

export function isFailure({ ok, severity }: PostConditionResult): boolean {
  return !ok && severity === 'fail';
}

async function run<Context>(
  condition: PostCondition<Context>,
  context: Context,
  deadlineMs: number,
): Promise<PostConditionResult> {
  const { name, expected, severity = 'fail' } = condition;
  const start = performance.now();
  const { ok, actual, diagnostic } = await findingOf(condition, context, deadlineMs);
  const durationMs = performance.now() - start;
  const result = { name, ok, severity, expected, actual, durationMs };
  return ok ? result : { ...result, diagnostic: diagnostic ?? `expected ${expected}, found ${actual}` };
}

async function findingOf<Context>(
  condition: PostCondition<Context>,
  context: Context,
  deadlineMs: number,
): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const actual = `no answer within ${formatDuration(deadlineMs)}`;
    timer = setTimeout(() => resolve({ ok: false, actual, diagnostic: actual }), deadlineMs);
  });
  try {
    // Called in here: what it throws at once is a failure, too.
    const finding: unknown = await Promise.race([Promise.resolve(condition.check(context)), late]);
    if (isFinding(finding)) return finding;
    const actual = `it gave ${quoted(finding)}`;
    return { ok: false, actual, diagnostic: `${actual} instead of { ok, actual }` };
  } catch (error) {
    const actual = `it threw ${describe(error)}`;
    return { ok: false, actual, diagnostic: actual };
  } finally {
    clearTimeout(timer);
  }
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const { ok, actual, diagnostic } = value as Record<string, unknown>;
  const said = diagnostic === undefined || typeof diagnostic === 'string';
  return typeof ok === 'boolean' && typeof actual === 'string' && said;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : quoted(error);
}
