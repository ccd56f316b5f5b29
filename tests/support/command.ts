/** The command as a user types it: `node dist/cli/main.js` in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { askExecutor } from '../../dist/runtime/control/client.js';
import { ProcessLock } from '../../dist/system/lock/process-lock.js';
import { StateDir } from '../../dist/system/state-dir.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** The modules of the command, or with BUNDLED=1 what `npm run build` makes of them: that is what users have. */
export const MAIN = fileURLToPath(
  new URL(`../../dist/cli/${process.env['BUNDLED'] ? 'bundled/main.cjs' : 'main.js'}`, import.meta.url),
);

const HANDLERS = `
import { existsSync, appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
export default (input) => input;
export const odd = (input) => {
  if (Number(input) % 2 === 0) throw new RangeError('even: ' + input);
  return input;
};
/** Ends when the file "open" is there. */
export const gate = async (input, { signal }) => {
  while (!existsSync('open')) {
    signal.throwIfAborted();
    await sleep(5);
  }
  return input;
};
/** Fails until the file "mended" is there. */
export const flaky = (input) => {
  if (!existsSync('mended')) throw new Error('not yet');
  return input;
};
export const count = (input) => appendFileSync('counted', input + '\\n');
`;

const OPTIONS = {
  reject: false,
  stripFinalNewline: false,
  env: { RUNTIME_DIR: '', NO_COLOR: '' },
} as const;

type Options = { input?: string | Uint8Array; env?: Record<string, string> };
type Command = ReturnType<typeof begin>;

export interface Place {
  /** The folder that commands run in; `work.mjs` is there. */
  dir: string;
  write(name: string, text: string | Uint8Array): string;
  /** Runs the command to its end; without input, standard input is empty. */
  runtime(args: readonly string[], options?: Options): Promise<Ended>;
  /** Starts it; its standard input stays open. It is ended with the test. */
  start(args: readonly string[], options?: Options): Command;
  /** What `status --json` says of a run. */
  status(runId: string): Promise<Status>;
  /** Waits until a run stands as `condition` wants it; counts are those that an executor tells. */
  until(runId: string, condition: (status: Status) => boolean): Promise<Status>;
}

interface Ended {
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
}

/** What a test waits for; part of what `status --json` prints. */
interface Status {
  state: string;
  counts: Record<string, number>;
  executor: { threads: { running: { id: string; progress?: unknown }[] }[] } | null;
}

/**
 * Tasks that threads have begun. The counts of a queue have those as running, too, that a thread
 * has not taken up yet: they go back when the run is told to end.
 */
export function started({ executor }: Status): number {
  return executor?.threads.reduce((sum, { running }) => sum + running.length, 0) ?? 0;
}

/** As `status --json` does it, without the time that a process takes to start. */
async function lookAt(stateDir: StateDir, runId: string): Promise<Status | undefined> {
  const lock = new ProcessLock({ path: stateDir.lockPath(runId), runId });
  if (!lock.isLocked()) return { state: 'idle', counts: {}, executor: null };
  const socket = lock.holder()?.controlSocket;
  if (socket === undefined) return undefined;
  try {
    const executor = await askExecutor(socket, 'status');
    return { state: executor.mode, counts: executor.counts, executor };
  } catch {
    // It has just ended, or another one is about to listen.
    return undefined;
  }
}

function begin(cwd: string, args: readonly string[], { input, env }: Options) {
  return execa(process.execPath, [MAIN, ...args], {
    ...OPTIONS,
    cwd,
    env: { ...OPTIONS.env, ...env },
    ...(input === undefined ? {} : { input }),
  });
}

export function place(): Place {
  const dir = tempDir();
  writeFileSync(join(dir, 'work.mjs'), HANDLERS);
  const here: Place = {
    dir,
    write: (name, text) => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    },
    runtime: async (args, options = {}) => {
      const { exitCode, signal, stdout, stderr } = await begin(dir, args, { input: '', ...options });
      return { exitCode, signal, stdout, stderr };
    },
    start: (args, options = {}) => {
      const command = begin(dir, args, options);
      onTestFinished(() => void command.kill('SIGKILL'));
      return command;
    },
    status: async (runId) => JSON.parse((await here.runtime(['status', runId, '--json'])).stdout) as Status,
    until: (runId, condition) =>
      waitFor(`a status of ${runId}`, async () => {
        const status = await lookAt(new StateDir(join(dir, '.runtime')), runId);
        return status !== undefined && condition(status) && status;
      }),
  };
  return here;
}

/** Numbers as lines, from 1. */
export function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('');
}

/** Lines of NDJSON as objects. */
export function parsed(ndjson: string): Record<string, unknown>[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The process id of the executor that a supervisor has started; `undefined` while one is dead and the next not there yet. */
export function successorOf(supervisor: number): number | undefined {
  const { stdout } = spawnSync('pgrep', ['-P', String(supervisor)], { encoding: 'utf8' });
  return Number(stdout.split('\n')[0]) || undefined;
}

/** The process id of the executor that a supervisor has started. */
export function executorOf(supervisor: number): number {
  const pid = successorOf(supervisor);
  if (pid === undefined) throw new Error(`process ${supervisor} has started no other one`);
  return pid;
}
