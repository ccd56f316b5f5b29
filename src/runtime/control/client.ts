import { request } from 'node:http';
import { HoldfastError } from '../../base/errors.js';
import type { ExecutorStatus, ProbeAnswers } from '../status.js';
import { monotonicMs } from '../../base/monotonic.js';
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
  return exchange(socketPath, what === 'status' ? 'GET' : 'POST', what, ANSWER_DEADLINE_MS);
}

/**
 * Asks the executor behind a control socket what the probes are to be told.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when nobody answers there within `deadlineMs`
 */
export async function probeExecutor(socketPath: string, deadlineMs: number): Promise<ProbeAnswers> {
  return exchange(socketPath, 'GET', 'probe', deadlineMs);
}

async function exchange<Answer>(
  socketPath: string,
  method: 'GET' | 'POST',
  what: string,
  deadlineMs: number,
): Promise<Answer> {
  try {
    return await send(socketPath, method, what, deadlineMs);
  } catch (error) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `the executor does not answer: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function send<Answer>(socketPath: string, method: string, what: string, deadlineMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { [DEADLINE_HEADER]: String(monotonicMs() + deadlineMs) };
    const outgoing = request({ socketPath, path: `/${what}`, method, headers, timeout: deadlineMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          const body = JSON.parse(text) as unknown;
          if (response.statusCode === 200) resolve(body as Answer);
          else reject(new Error(String((body as { error?: string }).error)));
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
