import { request } from 'node:http';
import { ERROR_CODES, HoldfastError, type ErrorCode } from '../../base/errors.js';
import type { ExecutorStatus, ProbeAnswers } from '../status.js';
import { monotonicMs } from '../../base/monotonic.js';
import { DEADLINE_HEADER } from './deadline.js';
import type { Requests, RunHandlers, SentError, StatusRequest } from './messages.js';

/** An executor answers within a few ms; one whose process is stopped or spins does not answer at all. */
const ANSWER_DEADLINE_MS = 2000;

/** What changes the queue or the threads may take longer: threads load, a task is between queue and thread. */
const CHANGE_DEADLINE_MS = 30_000;

/**
 * Asks the executor behind a control socket; gives its status after the request was carried out.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when nobody answers there
 */
export async function askExecutor(socketPath: string, what: StatusRequest): Promise<ExecutorStatus> {
  return exchange(socketPath, what === 'status' ? 'GET' : 'POST', what, { deadlineMs: ANSWER_DEADLINE_MS });
}

/** The functions that tasks can name. @throws as `askExecutor` */
export async function handlersOf(socketPath: string): Promise<RunHandlers> {
  return exchange(socketPath, 'GET', 'handlers', { deadlineMs: ANSWER_DEADLINE_MS });
}

/**
 * Asks the executor behind a control socket to change something.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when nobody answers there; why the executor refuses
 */
export async function changeExecutor<What extends keyof Requests>(
  socketPath: string,
  what: What,
  body: Requests[What]['body'],
): Promise<Requests[What]['answer']> {
  return exchange(socketPath, 'POST', what, { body, deadlineMs: CHANGE_DEADLINE_MS });
}

/**
 * Asks the executor behind a control socket what the probes are to be told.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when nobody answers there within `deadlineMs`
 */
export async function probeExecutor(socketPath: string, deadlineMs: number): Promise<ProbeAnswers> {
  return exchange(socketPath, 'GET', 'probe', { deadlineMs });
}

interface Asked {
  body?: unknown;
  deadlineMs: number;
}

async function exchange<Answer>(
  socketPath: string,
  method: 'GET' | 'POST',
  what: string,
  asked: Asked,
): Promise<Answer> {
  let status: number | undefined;
  let answer: unknown;
  try {
    [status, answer] = await send(socketPath, method, what, asked);
  } catch (error) {
    throw noAnswer((error as Error).message, error);
  }
  if (status === 200) return answer as Answer;
  const { error, code, hint } = answer as SentError;
  if (code === undefined || !(code in ERROR_CODES)) throw noAnswer(error, new Error(error));
  throw new HoldfastError(code as ErrorCode, error, hint === undefined ? {} : { hint });
}

function noAnswer(why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_NO_EXECUTOR', `the executor does not answer: ${why}`, { cause });
}

function send(
  socketPath: string,
  method: string,
  what: string,
  { body, deadlineMs }: Asked,
): Promise<[number | undefined, unknown]> {
  return new Promise((resolve, reject) => {
    const headers = { [DEADLINE_HEADER]: String(monotonicMs() + deadlineMs) };
    const outgoing = request({ socketPath, path: `/${what}`, method, headers, timeout: deadlineMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve([response.statusCode, JSON.parse(text)]);
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
