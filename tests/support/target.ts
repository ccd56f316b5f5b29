import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

export interface Target {
  pid: number;
  child: ChildProcess;
  /** What stood behind `ready`. */
  said: string;
}

/** Starts a program of `fixtures` that is looked into, once it has said `ready`; it goes with the test. */
export async function startTarget(
  fixture: string,
  args: string[] = [],
  {
    node = process.execPath,
    nodeOptions = ['--inspect-port=0'],
    env = {},
  }: { node?: string; nodeOptions?: string[]; env?: object } = {},
): Promise<Target> {
  const child = spawn(node, [...nodeOptions, `${FIXTURES}${fixture}`, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // A process that is killed writes no coverage, and one of another Node none that fits.
    env: { ...process.env, NODE_V8_COVERAGE: '', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('ready')) return { pid: child.pid!, child, said: line.slice('ready '.length) };
  }
  throw new Error(`${fixture} has ended before it was ready`);
}
