/** Processes that are looked into, and what can be seen of them from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { listenersOf } from '../../dist/debug/process/listeners.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/inspected.mjs', import.meta.url));

/** Threads of the fixture that beat. */
const BEATING = ['main', 'spinning', 'parent', 'child'];

export interface Inspected {
  pid: number;
  child: ChildProcess;
  /** What it printed on standard error so far. */
  stderr(): string;
  /** Ports it listens at. */
  ports(): number[];
}

interface StartOptions {
  /** Of Node; default: this one. */
  path?: string | undefined;
  /** Options of Node; default: an inspector that disturbs nobody. */
  nodeOptions?: readonly string[];
  env?: Record<string, string>;
  uid?: number;
}

/** Starts a program in an ES module; it is up when it prints something. It ends with the test. */
export async function startProgram(text: string, options: StartOptions = {}): Promise<Inspected> {
  const args = ['--input-type=module', '--eval', text];
  const inspected = start(args, options);
  await new Promise((resolve, reject) => {
    inspected.child.stdout!.once('data', resolve);
    inspected.child.once('exit', () => reject(new Error(`it ended: ${inspected.stderr()}`)));
  });
  return inspected;
}

/** Starts the fixture, with threads of all kinds; resolves when all of them beat. */
export async function startThreads({ spin = false, ...options }: StartOptions & { spin?: boolean } = {}): Promise<
  Inspected & {
    /** Resolves when each of its threads has gone on since the call. */
    goesOn(): Promise<void>;
  }
> {
  const dir = tempDir();
  const inspected = start([PROGRAM, dir, ...(spin ? ['spin'] : [])], options);
  const beats = () => BEATING.map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0);
  const goesOn = async () => {
    const before = beats();
    await waitFor(`threads to go on: ${inspected.stderr()}`, () => {
      const { signalCode } = inspected.child;
      if (signalCode !== null) throw new Error(`it was ended by ${signalCode}`);
      return beats().every((size, i) => size > before[i]!);
    });
  };
  await goesOn();
  return { ...inspected, goesOn };
}

function start(args: readonly string[], { path = process.execPath, nodeOptions, env, uid }: StartOptions): Inspected {
  const child = spawn(path, [...(nodeOptions ?? ['--inspect-port=0']), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its counts would not match those of this Node; and it is killed in the end.
    env: { ...process.env, NODE_V8_COVERAGE: '', ...env },
    ...(uid !== undefined && { uid }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const pid = child.pid!;
  return { pid, child, stderr: () => stderr, ports: () => listenersOf(pid).map(({ port }) => port) };
}

/** Turns of this test alone: who looks into a process elsewhere does not hold it up. */
export function ownTurns(): void {
  const before = process.env['XDG_RUNTIME_DIR'];
  process.env['XDG_RUNTIME_DIR'] = tempDir();
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
  });
}
