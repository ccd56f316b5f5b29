/** A config file that is a module, evaluated in a process of its own: the one that asks may be about to keep a queue. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../base/errors.js';
import { LateModule } from '../system/import-guarded.js';
import { unreadable } from './config-fault.js';
import type { ConfigAnswer } from './config-process.js';
import { LOAD_DEADLINE_MS } from './load-deadline.js';
import type { RuntimeConfig } from './runtime-config.js';

const PROCESS = fileURLToPath(new URL('./config-process.js', import.meta.url));

/** Beyond the deadline, in ms: for Node to start, and for the process to say itself what was late. */
const PATIENCE_MS = 5_000;

/**
 * As `loadConfig`, without the section `smoke`: that may hold functions, which
 * cannot leave their process. What the module sets in the environment is set
 * here as well, for handlers; nothing else that it does outlives its process.
 *
 * @param path of a module, absolute
 * @throws HoldfastError `ERR_INVALID_OPTIONS`, in the words of `loadConfig`
 */
export async function evaluateConfig(
  path: string,
  deadlineMs = LOAD_DEADLINE_MS,
): Promise<Omit<RuntimeConfig, 'smoke'>> {
  const answer = await ask(path, deadlineMs);
  if ('refused' in answer) {
    const { code, message, hint } = answer.refused;
    throw new HoldfastError(code, message, hint === undefined ? {} : { hint });
  }
  for (const [name, value] of Object.entries(answer.env)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
  return answer.config;
}

function ask(path: string, deadlineMs: number): Promise<ConfigAnswer> {
  // The port of an inspector is this process's.
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
  const [, main = '', ...typed] = process.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, PROCESS, path, String(deadlineMs), main, ...typed], {
      // Standard output carries the data of the command: what the module prints goes to standard error.
      stdio: ['inherit', 2, 2, 'ipc'],
    });
    let why: string | undefined;
    const timer = setTimeout(() => {
      // A module that never lets its event loop turn.
      why = new LateModule(deadlineMs).message;
      child.kill('SIGKILL');
    }, deadlineMs + PATIENCE_MS);
    child.on('message', (answer: ConfigAnswer) => resolve(answer));
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(unreadable(path, `no process could be started for it: ${cause.message}`, { cause }));
    });
    // After its last word.
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      reject(
        unreadable(path, why ?? `its process ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`),
      );
    });
  });
}
