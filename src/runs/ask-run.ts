import { HoldfastError } from '../base/errors.js';
import type { Requests, RunHandlers, StatusRequest } from '../runtime/control/messages.js';
import type { ExecutorStatus } from '../runtime/status.js';
import type { StateDir } from '../system/state-dir.js';
import { lockOf } from './run-files.js';

/** Loads `node:http`: most runs that are asked for have ended, and there is nobody to be asked. */
type Client = typeof import('../runtime/control/client.js');

/**
 * Asks the executor of a run that is going on.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when none is (then without a hint), or it does not answer
 */
export async function askRun(stateDir: StateDir, runId: string, what: StatusRequest): Promise<ExecutorStatus> {
  return reach(stateDir, runId, (client, socket) => client.askExecutor(socket, what));
}

/** The functions that tasks of the run can name. @throws as `askRun` */
export async function handlersOfRun(stateDir: StateDir, runId: string): Promise<RunHandlers> {
  return reach(stateDir, runId, (client, socket) => client.handlersOf(socket));
}

/** Asks the executor of a run to change something. @throws as `askRun`, and why the executor refuses */
export async function changeRun<What extends keyof Requests>(
  stateDir: StateDir,
  runId: string,
  what: What,
  body: Requests[What]['body'],
): Promise<Requests[What]['answer']> {
  return reach(stateDir, runId, (client, socket) => client.changeExecutor(socket, what, body));
}

async function reach<Answer>(
  stateDir: StateDir,
  runId: string,
  ask: (client: Client, socket: string) => Promise<Answer>,
): Promise<Answer> {
  const lock = lockOf(stateDir, runId);
  if (!lock.isLocked()) throw new HoldfastError('ERR_NO_EXECUTOR', `no executor is running for "${runId}"`);
  const holder = lock.holder();
  if (holder?.controlSocket === undefined) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `the executor of "${runId}" has no control socket (yet)`, {
      hint: 'One from code has one where it is made with { steerable: true }. One that just starts will in a moment.',
    });
  }
  try {
    return await ask(await import('../runtime/control/client.js'), holder.controlSocket);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ERR_NO_EXECUTOR' || !lock.isLocked()) throw error;
    throw new HoldfastError(error.code, error.message, {
      cause: error,
      hint: `It is process ${holder.pid} on ${holder.hostname}: stopped (kill -CONT lets it go on), or too busy to answer.`,
    });
  }
}
