/** The flags of `runtime run`: what commander collected, checked as a whole. */
import { InvalidInputError, type Fault } from '../../base/errors.js';
import type { HttpAddress } from '../../base/http-address.js';
import type { Halt } from '../../options/halt-kind.js';
import { readOptions } from '../../options/read-options.js';
import { RUN_OPTIONS } from '../../options/run-options.js';
import { codeOf, resolved, type ResolvedOptions, type Surroundings } from '../../runtime/options.js';
import { flagNames } from '../arguments/flags.js';
import { runIdOf } from '../arguments/run-id.js';
import { flagName, unknownArguments } from '../arguments/unknown-arguments.js';

/** Where the tasks of a run come from. */
export type SourceChoice =
  | { kind: 'each'; glob: string; exclude: readonly string[]; follow: boolean }
  | { kind: 'tasks'; file: string }
  | { kind: 'lines'; endedByNull: boolean };

/** The flags of `runtime run`, with every default in place. Plain data: it can be sent to a child as JSON. */
export interface RunFlags {
  executor: ResolvedOptions;
  source: SourceChoice;
  /** Whether whole numbers beyond 2^53-1 in a task file reach the handler as BigInts; else they are refused. */
  bigIntegers: boolean;
  /** The export for tasks that name none. */
  handler: string | undefined;
  /** File for the outcomes as NDJSON; `-` is standard output. */
  results: string | undefined;
  fresh: boolean;
  retryFailed: boolean;
  /** Whether tasks of an earlier start run that are not in the input of this one. */
  keepQueued: boolean;
  supervise: boolean;
  json: boolean;
  quiet: boolean;
  color: boolean;
  /** Whether async functions or open file streams that tasks left behind in the threads make the run fail. */
  failOnLeak: boolean;
  /** When the run ends before all its tasks have, as some failed; `undefined`: never. */
  halt: Halt | undefined;
  /** How long to wait for the lock of the run; `undefined`: not at all. */
  waitMs: number | undefined;
  /** Where health and metrics are served; `undefined`: nowhere. */
  http: HttpAddress | undefined;
  /** Tasks are typed by hand: standard input is a terminal. */
  typed: boolean;
  /** Progress is told in lines, also on a terminal. */
  plain: boolean;
}

/** Of `--tasks`: other names of standard input. */
const STDIN_PATHS: ReadonlySet<string> = new Set(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

/** A part of an option, such as `backoff.max`, has no flag of its own. */
const nameOf = (key: string) => (key === 'handlers' ? '<module>' : flagName(key.split('.', 1)[0]!));

const ARGUMENTS = {
  known: flagNames(RUN_OPTIONS),
  command: 'runtime run',
  tooMany: 'a run has one module (globs want quotes)',
};

/**
 * Checks the flags of `runtime run <module>`, named as commander names them
 * (`--run-id` is `runId`, `--no-durable` is `durable: false`).
 *
 * `extra` is what no flag took. Without `runId` the run has the name of the module: `./jobs/resize.mjs` is run `resize`.
 *
 * @throws InvalidInputError with every fault, `ERR_INVALID_OPTIONS`, or
 * `ERR_INVALID_RUN_ID` if the run id alone is at fault.
 */
export function resolveRunFlags(
  module: string | undefined,
  given: Record<string, unknown>,
  extra: readonly string[] = [],
  around?: Surroundings,
): RunFlags {
  // One that is missing is told in words of its own, and leaves no other fault behind.
  const checked = module ?? 'missing.mjs';
  const named = { ...given, runId: given['runId'] ?? runIdOf(checked), handlers: checked };
  const { values, faults } = readOptions(RUN_OPTIONS, named, 'flag');
  const unnamed = given['runId'] === undefined;
  const told = faults.map(({ where, problem }) => ({
    where: nameOf(where),
    problem: where === 'runId' && unnamed ? 'the name of the module makes none: choose one' : problem,
  }));
  if (module === undefined)
    told.unshift({ where: '<module>', problem: 'is missing: the file that exports the handlers' });
  told.push(...faultsTogether(given), ...unknownArguments(extra, ARGUMENTS));
  if (told.length > 0) {
    throw new InvalidInputError(codeOf(told.length > faults.length ? [] : faults), 'nothing was started', told, {
      hint: 'runtime run --help lists every flag with an example.',
    });
  }
  const { each, exclude, follow, tasks, lines, null: endedByNull, wait, ...rest } = values;
  // By these names, the executor would find a standard input of its own.
  const file = tasks !== undefined && STDIN_PATHS.has(tasks) ? '-' : tasks;
  const typed = (lines || file === '-') && Boolean(process.stdin.isTTY);
  return {
    executor: resolved({ ...values, steerable: true }, around),
    source:
      each !== undefined
        ? { kind: 'each', glob: each, exclude, follow }
        : file !== undefined
          ? { kind: 'tasks', file }
          : { kind: 'lines', endedByNull },
    bigIntegers: rest.bigIntegers,
    handler: rest.handler,
    results: rest.results,
    fresh: rest.fresh,
    retryFailed: rest.retryFailed,
    keepQueued: rest.keepQueued,
    supervise: rest.supervise,
    failOnLeak: rest.failOnLeak,
    halt: rest.halt,
    json: rest.json,
    quiet: rest.quiet,
    color: rest.color,
    waitMs: wait,
    http: rest.http,
    typed,
    // A bar would stand in the middle of what else is on that terminal.
    plain: typed || (rest.results === '-' && Boolean(process.stdout.isTTY)),
  };
}

/** What is wrong with flags only in company. */
function faultsTogether(given: Record<string, unknown>): Fault[] {
  const faults: Fault[] = [];
  const sources = ['each', 'tasks', 'lines'].filter((name) => given[name] !== undefined && given[name] !== false);
  if (sources.length === 0) {
    faults.push({ where: 'no tasks', problem: 'give one of --each <glob>, --tasks <file|->, --lines' });
  } else if (sources.length > 1) {
    const names = sources.map(flagName).join(' and ');
    faults.push({ where: names, problem: 'a run has one source of tasks' });
  }
  for (const [name, source] of Object.entries({ exclude: 'each', follow: 'each', null: 'lines' })) {
    if (given[name] !== undefined && given[source] === undefined) {
      faults.push({ where: flagName(name), problem: `is for ${flagName(source)} alone` });
    }
  }
  if (given['results'] === '-' && given['json'] === true) {
    faults.push({ where: '--results - and --json', problem: 'both would write to standard output' });
  }
  return faults;
}
