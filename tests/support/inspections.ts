/** Inspections as a look gives them, for what is made of them. */
import type { AwaitBranch, Inspection, ThreadInspection } from '../../dist/debug/inspection.js';

/** @param seconds since the epoch, when it was taken */
export function inspectionAt(seconds: number, ...threads: ThreadInspection[]): Inspection {
  const takenAt = new Date(seconds * 1000).toISOString();
  return { schema: 1, takenAt, tookMs: 20, pid: 4711, node: 'v20.0.0', command: 'app.js', threads, notes: [] };
}

export function threadWith(awaits: AwaitBranch[], changes: Partial<ThreadInspection> = {}): ThreadInspection {
  const countIn = (branches: readonly AwaitBranch[]): number =>
    branches.reduce((sum, { count, children }) => sum + count + countIn(children), 0);
  return {
    threadId: 0,
    name: 'main',
    state: 'waiting',
    stack: [],
    heapUsed: 2 ** 20,
    pause: { predictedMs: 10, measuredMs: 12 },
    view: 'whole',
    awaits,
    suspended: countIn(awaits),
    hidden: 0,
    handles: [],
    notes: [],
    ...changes,
  };
}

/** A function that is written at the line of its own name's length, and awaits one line below. */
export function branch(name: string, changes: Partial<AwaitBranch> = {}): AwaitBranch {
  const file = '/app/work.js';
  return {
    name,
    count: 1,
    at: { file, line: name.length + 1, column: 3 },
    definedAt: { file, line: name.length, column: 1 },
    via: [],
    children: [],
    leaves: [],
    circular: false,
    ...changes,
  };
}
