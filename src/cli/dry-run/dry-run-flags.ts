/** The flags of `runtime dry-run` and the variables behind them, checked as a whole. */
import { fileURLToPath } from 'node:url';
import { DRY_RUN_ENV, faultsTogether } from '../../dryrun/options.js';
import { DEFAULT_PLAN, type Plan } from '../../dryrun/plan/plan.js';
import { loadEvents } from '../../dryrun/events/user-events.js';
import { InvalidInputError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { DRY_RUN_OPTIONS } from '../../options/dry-run-options.js';
import { readOptions } from '../../options/read-options.js';
import { codeOf, resolveOptions, type ResolvedOptions, type Surroundings } from '../../runtime/options.js';
import { handlerFile, type HandlerFile } from '../arguments/choose-handler.js';
import { flagNames } from '../arguments/flags.js';
import { flagName, unknownArguments } from '../arguments/unknown-arguments.js';

/** The flags of `runtime dry-run`, with every default in place. */
export interface DryRunFlags {
  plan: Plan;
  executor: ResolvedOptions;
  /** The export of the handler module that takes the events; `undefined`: its default, or only one. */
  handler: string | undefined;
  emit: boolean;
  json: boolean;
  quiet: boolean;
  color: boolean;
  /** Progress is told in lines, also on a terminal. */
  plain: boolean;
}

const BUILT_IN_HANDLER = fileURLToPath(new URL('../../dryrun/handler.js', import.meta.url));
const DEFAULT_DURATION_MS = 10_000;

const ARGUMENTS = {
  known: flagNames(DRY_RUN_OPTIONS),
  command: 'runtime dry-run',
  tooMany: 'a dry run takes flags alone',
};

/**
 * Checks the flags of `runtime dry-run`, named as commander names them, and the
 * variables of the environment where no flag is given. Loads the module of
 * `--events`; starts nothing.
 *
 * @param extra what no flag took
 * @throws InvalidInputError with every fault, `ERR_INVALID_OPTIONS`, or
 * `ERR_INVALID_RUN_ID` if the run id alone is at fault.
 */
export async function resolveDryRunFlags(
  given: Record<string, unknown>,
  extra: readonly string[] = [],
  around: Surroundings = { cwd: process.cwd(), env: process.env },
): Promise<DryRunFlags> {
  const variables = variablesFor(given, around.env);
  const { values, faults: found } = readOptions(DRY_RUN_OPTIONS, { ...given, ...variables }, 'flag');
  const faults = found.map(({ where, problem }) => ({ where: sourceOf(where, variables), problem }));
  for (const { problem } of faultsTogether(given)) faults.push({ where: '--count and --duration', problem });
  if (given['emit'] === true && given['json'] === true) {
    faults.push({ where: '--emit and --json', problem: 'both would write to standard output' });
  }
  faults.push(...unknownArguments(extra, ARGUMENTS));
  const handler = handlerOf(given['handler'], around.cwd);
  if (handler === undefined) {
    faults.push({ where: '--handler', problem: `${quoted(given['handler'])} cannot be loaded: there is no such file` });
  }
  const events = await eventsOf(given['events'], around.cwd);
  if (Array.isArray(events)) faults.push(...events.map(({ problem }) => ({ where: '--events', problem })));
  if (handler === undefined || Array.isArray(events) || faults.length > 0) {
    throw new InvalidInputError(codeOf(faults.length > found.length ? [] : found), 'nothing was started', faults, {
      hint: 'runtime dry-run --help lists every flag with an example.',
    });
  }
  const { pattern, rate, seed, count, burstSize, account, wallClock, emit, json, quiet, color, ...rest } = values;
  const { runId, dir, threads, concurrency, durable, duration = DEFAULT_DURATION_MS } = rest;
  const durationMs = count === undefined ? duration : undefined;
  return {
    plan: { pattern, rate, seed, count, durationMs, burstSize, events, account, wallClock },
    executor: resolveOptions(
      { runId, dir, threads, concurrency, durable, handlers: handler.file, steerable: true },
      around,
    ),
    handler: handler.name,
    emit,
    json,
    quiet,
    color,
    plain: false,
  };
}

/** What the environment says, where no flag does. One that is empty is as good as none. */
function variablesFor(given: Record<string, unknown>, env: Surroundings['env']): Record<string, string> {
  const set = Object.entries(DRY_RUN_ENV).filter(([key, name]) => given[key] === undefined && env[name]);
  return Object.fromEntries(set.map(([key, name]) => [key, env[name]!]));
}

function sourceOf(key: string, variables: Record<string, string>): string {
  return key in variables ? DRY_RUN_ENV[key]! : flagName(key);
}

/** `undefined` if there is no such file. One that is no text, or empty, is told with the other faults. */
function handlerOf(handler: unknown, cwd: string): HandlerFile | undefined {
  if (typeof handler !== 'string' || handler === '') return { file: BUILT_IN_HANDLER, name: undefined };
  return handlerFile(handler, cwd);
}

function eventsOf(events: unknown, cwd: string): Plan['events'] | Promise<Plan['events'] | Fault[]> {
  return typeof events === 'string' && events !== '' ? loadEvents(events, cwd) : DEFAULT_PLAN.events;
}
