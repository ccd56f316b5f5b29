import { HoldfastError, type Fault } from '../base/errors.js';

/** A value that an option does not take: its message goes on behind the name of the option. */
export class Refusal extends Error {
  /** `where` is the path inside of the value, empty for all of it. */
  readonly faults: readonly Fault[];

  constructor(problem: string | readonly Fault[]) {
    super(typeof problem === 'string' ? problem : problem.map((fault) => fault.problem).join(', '));
    this.faults = typeof problem === 'string' ? [{ where: '', problem }] : problem;
  }
}

/**
 * What `read` gives, or what is wrong with it. Anything else that it throws is
 * no refusal, but a bug, or an object of the user's that throws when it is read.
 */
export function attempt<Value>(read: () => Value): { value: Value } | { faults: readonly Fault[] } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { faults: error.faults };
    // Of a text that cannot be parsed.
    if (error instanceof HoldfastError) return { faults: [{ where: '', problem: error.message }] };
    throw error;
  }
}
