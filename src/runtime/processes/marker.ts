import { readFileSync } from 'node:fs';

/**
 * The variable in whose value each process finds whose task's child it is, and
 * so do we. It is inherited by all that a child starts, also by what leaves its
 * process group. Nested runs add theirs: all that are named may end it.
 */
const TASK_VARIABLE = 'HOLDFAST_TASK';

/** Set for those that go on when whoever started them is stopped or killed, to end or to write down what it left behind. */
export const REAPER_VARIABLE = 'HOLDFAST_REAPER';

/**
 * The environment of a process of ours that ends by itself once its parent is gone: it is nobody's child, and loads
 * no module that options for Node name.
 */
export function survivorEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, [TASK_VARIABLE]: _mark, ...environment } = process.env;
  return { ...environment, [REAPER_VARIABLE]: '1' };
}

/** The environment that marks a child. `mark`: no spaces; parts of it are separated by dots. */
export function marked(mark: string, inherited = process.env[TASK_VARIABLE]): Record<string, string> {
  return { [TASK_VARIABLE]: inherited === undefined ? mark : `${inherited} ${mark}` };
}

/** Whether a process has that mark, or one that begins with it. */
export function hasMark(pid: number, mark: string): boolean {
  const value = variableOf(pid, TASK_VARIABLE);
  return value !== undefined && value.split(' ').some((one) => one === mark || one.startsWith(`${mark}.`));
}

export function isReaper(pid: number): boolean {
  return variableOf(pid, REAPER_VARIABLE) !== undefined;
}

/** As the process was started with it; `undefined` also where we may not look. */
function variableOf(pid: number, name: string): string | undefined {
  let environment: string;
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return undefined;
  }
  const prefix = `${name}=`;
  const start = environment.startsWith(prefix) ? 0 : environment.indexOf(`\0${prefix}`) + 1;
  if (start === 0 && !environment.startsWith(prefix)) return undefined;
  const end = environment.indexOf('\0', start);
  return environment.slice(start + prefix.length, end === -1 ? undefined : end);
}
