import { HoldfastError, InvalidInputError, type Fault } from '../../base/errors.js';
import { didYouMean, quoted } from '../../base/faults.js';
import type { HandlerInput, HandlerName } from './handlers.js';
import { optionFaults, mustBe, type Check, type Checks } from '../../base/option-checks.js';
import { taskIdFault } from './task-id.js';
import type { NewTask } from './task.js';
import { encode } from './codec.js';

/** What a task may be given beside its input. */
export interface TaskOptions {
  /**
   * Names the task within its run. Submitting the same id with the same handler
   * and input again gives the outcome of the first; with others, it is refused
   * (`ERR_TASK_CONFLICT`). Default: a name of the queue's own, `#<number>`.
   */
  id?: string | undefined;
  /** Higher runs first; equal ones in the order they came. A whole number; default 0. */
  priority?: number | undefined;
  /** Milliseconds from the start of an attempt. Default: the executor's `timeout`. */
  timeoutMs?: number | undefined;
  /** Tries after the first. Default: the executor's `retries`. */
  retries?: number | undefined;
}

/** A task as `enqueue` takes it. */
export type TaskToEnqueue<Module> = {
  [Name in HandlerName<Module>]: TaskOptions & {
    /** Name of an export of the module. */
    handler: Name;
    /** The value that the handler gets, as a structured clone. */
    input: HandlerInput<Module, Name>;
  };
}[HandlerName<Module>];

/** What became of a task that was handed to `enqueue`. */
export interface EnqueuedTask {
  /** As it was given, or the name that the queue gave it: `#<number>`. */
  id: string;
  /** `duplicate`: the same task is there already; `conflict`: its id is taken by another one, and nothing changed. */
  status: 'added' | 'duplicate' | 'conflict';
}

/** What `submit` takes beside the task: they are of the call, and are not stored. */
export interface SubmitOptions extends TaskOptions {
  /**
   * Aborting it cancels the task (see `cancel`), and the promise rejects with
   * `ERR_TASK_CANCELLED` once that is recorded, its `cause` the signal's reason;
   * a task that comes to its end before keeps its outcome. Where others wait for
   * the task too, or it was in the queue before (by its id), it goes on, and
   * this promise alone rejects, with the reason. Aborted already: rejects with
   * the reason at once, and nothing is added.
   */
  signal?: AbortSignal | undefined;
  /**
   * Called with what the handler passes to `context.progress`: at most ten times a
   * second, and not once the promise has settled.
   */
  onProgress?: ((progress: { done: number; total?: number }) => void) | undefined;
}

/** One check for each option that a task takes. */
const TASK_CHECKS: Checks = new Map<string, Check>([
  ['id', taskIdFault],
  ['priority', (value) => mustBe(Number.isSafeInteger(value), 'a whole number', value)],
  ['timeoutMs', (value) => mustBe(Number.isFinite(value) && (value as number) > 0, 'a number above 0', value)],
  [
    'retries',
    (value) => mustBe(Number.isSafeInteger(value) && (value as number) >= 0, 'a whole number of at least 0', value),
  ],
]);

const SUBMIT_CHECKS: Checks = new Map<string, Check>([
  ...TASK_CHECKS,
  ['signal', (value) => mustBe(isSignal(value), 'an AbortSignal', value)],
  ['onProgress', (value) => mustBe(typeof value === 'function', 'a function', value)],
]);

/** Of a task that is handed to `enqueue`. Its handler and input are looked at elsewhere. */
const ENQUEUED_CHECKS: Checks = new Map<string, Check>([
  ['handler', () => undefined],
  ['input', () => undefined],
  ...TASK_CHECKS,
]);

/** Faults that are told of one call. */
const MAX_FAULTS = 20;

/**
 * A task as `submit` and `map` are given it.
 * @throws HoldfastError `ERR_HANDLER_MISSING`, `ERR_INVALID_TASK`, `ERR_VALUE_NOT_CLONEABLE`
 */
export function newTask(
  handlers: ReadonlySet<string>,
  handler: string,
  input: unknown,
  options?: SubmitOptions,
): NewTask {
  if (!handlers.has(handler)) {
    const message = `the module exports no function ${quoted(handler)}${meant(handler, handlers)}`;
    throw new HoldfastError('ERR_HANDLER_MISSING', message, {
      hint: `It exports: ${[...handlers].join(', ') || 'none'}.`,
    });
  }
  const faults = optionFaults(options, SUBMIT_CHECKS);
  if (faults.length > 0) throw new InvalidInputError('ERR_INVALID_TASK', 'this task is not valid', faults);
  return taskOf(handler, encode(input, 'the input'), options);
}

/**
 * Tasks as `enqueue` is given them.
 * @param encoded makes of an input what is stored; throws what is wrong with it
 * @throws InvalidInputError `ERR_INVALID_TASK` with every fault of all of them
 */
export function newTasks(
  handlers: ReadonlySet<string>,
  given: unknown,
  encoded: (input: unknown) => NewTask['input'] = (input) => encode(input, 'this value'),
): NewTask[] {
  if (!Array.isArray(given)) {
    const fault = { where: 'tasks', problem: `must be an array of { handler, input, … }, got ${quoted(given)}` };
    throw new InvalidInputError('ERR_INVALID_TASK', 'no task was added', [fault]);
  }
  const faults: Fault[] = [];
  const tasks: NewTask[] = [];
  for (const [index, task] of given.entries()) {
    const found = faultsOf(handlers, task);
    if (found.length > 0) faults.push(...found.map((fault) => placed(fault, index)));
    else {
      try {
        tasks.push(taskOf(task.handler, encoded(task.input), task));
      } catch (error) {
        faults.push({ where: `tasks[${index}].input`, problem: (error as Error).message });
      }
    }
  }
  if (faults.length > 0) throw new InvalidInputError('ERR_INVALID_TASK', 'no task was added', firstOf(faults));
  return tasks;
}

function taskOf(handler: string, input: NewTask['input'], options?: TaskOptions): NewTask {
  return {
    id: options?.id,
    handler,
    input,
    priority: options?.priority ?? 0,
    timeoutMs: options?.timeoutMs,
    retries: options?.retries,
  };
}

function faultsOf(handlers: ReadonlySet<string>, task: unknown): readonly Fault[] {
  if (task === undefined) return [{ where: 'options', problem: 'is missing' }];
  const faults = optionFaults(task, ENQUEUED_CHECKS);
  if (typeof task !== 'object' || task === null) return faults;
  const { handler } = task as { handler?: unknown };
  if (handlers.has(handler as string)) return faults;
  const problem =
    handler === undefined
      ? 'is missing'
      : `must be one of ${[...handlers].join(', ')}, got ${quoted(handler)}${meant(handler, handlers)}`;
  return [{ where: 'handler', problem }, ...faults];
}

function meant(handler: unknown, handlers: ReadonlySet<string>): string {
  return typeof handler === 'string' ? didYouMean(handler, handlers) : '';
}

function placed({ where, problem }: Fault, index: number): Fault {
  return where === 'options' ? { where: `tasks[${index}]`, problem } : { where: `tasks[${index}].${where}`, problem };
}

function firstOf(faults: readonly Fault[]): readonly Fault[] {
  const more = faults.length - MAX_FAULTS;
  if (more <= 0) return faults;
  return [
    ...faults.slice(0, MAX_FAULTS),
    { where: `and ${more} more`, problem: `the next is ${faults[MAX_FAULTS]!.where}` },
  ];
}

/** Also one of another realm, or of a library. */
function isSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
