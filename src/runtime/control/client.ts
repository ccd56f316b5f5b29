import { request } from 'node:http';
import { HoldfastError } from '../errors.js';
import type { ExecutorStatus } from '../status.js';
import { DEADLINE_HEADER } from './deadline.js';

/** An executor answers within a few ms; one whose process is stopped or spins does not answer at all. */
const ANSWER_DEADLINE_MS = 2000;

export type ControlRequest = 'status' | 'pause' | 'resume' | 'drain';

/**
 * Asks the executor behind a control socket; gives its status after the request was carried out.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when nobody answers there
 */
export async function askExecutor(socketPath: string, what: ControlRequest): Promise<ExecutorStatus> {
  try {
    return await exchange(socketPath, what);
  } catch (error) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `the executor does not answer: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function exchange(socketPath: string, what: ControlRequest): Promise<ExecutorStatus> {
  return new Promise((resolve, reject) => {
    const method = what === 'status' ? 'GET' : 'POST';
    const headers = { [DEADLINE_HEADER]: String(Date.now() + ANSWER_DEADLINE_MS) };
    const outgoing = request(
      { socketPath, path: `/${what}`, method, headers, timeout: ANSWER_DEADLINE_MS },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          try {
            const body = JSON.parse(text) as ExecutorStatus & { error?: string };
            if (response.statusCode === 200) resolve(body);
            else reject(new Error(String(body.error)));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_DEADLINE_MS / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
