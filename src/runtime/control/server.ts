import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { HoldfastError } from '../../base/errors.js';
import { monotonicMs } from '../../base/monotonic.js';
import { formatSize } from '../../base/units.js';
import { DEADLINE_HEADER } from './deadline.js';
import type { Requests, SentError, Steering } from './messages.js';
import { controlSocketPath } from './socket-path.js';

/** Longer requests are none of ours. */
const MAX_HEADER_BYTES = 8192;
const MAX_BODY_BYTES = 64 * 2 ** 20;

export interface ControlServer {
  path: string;
  close(): Promise<void>;
}

/**
 * Lets other processes of this user steer the run: plain HTTP on a socket
 * (0600) in the run's folder (0700).
 *
 *   GET  /status             what `executor.status()` gives
 *   GET  /probe              what `executor.probe()` gives: at once, whatever the queue does
 *   GET  /handlers           names of the functions that tasks can name
 *   POST /pause /resume /drain /cancel /retry /retry-tasks /add /scale   see `messages.ts`
 */
export async function serveControl(runDir: string, steering: Steering): Promise<ControlServer> {
  const path = controlSocketPath(runDir);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    answer(request, steering).then(
      ([status, body]) => reply(response, status, body),
      (error: Error) => reply(response, error instanceof HoldfastError ? 400 : 500, sent(error)),
    );
  });
  // Node removes the path that it listened on when it closes, whosever socket lies there by then. So that is a name
  // of this process alone. Only the holder of the run's lock comes here: what lies at the other one is left over.
  const own = `${path}.${process.pid}`;
  let ino: bigint;
  try {
    server.listen(own);
    await once(server, 'listening');
    chmodSync(own, 0o600);
    ({ ino } = statSync(own, { bigint: true }));
    renameSync(own, path);
  } catch (error) {
    server.close();
    const message = `the socket by which a run is steered cannot be made: ${(error as Error).message}`;
    const hint = 'Mend that, or choose another state folder: --dir <folder>.';
    throw new HoldfastError('ERR_STATE_DIR', message, { hint, cause: error });
  }
  server.unref();
  return {
    path,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      try {
        // By then another executor may have the run, if the lock was lost.
        if (statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
      } catch {
        // The disk became read-only, say. Nobody listens there any more, and the next executor takes its place.
      }
    },
  };
}

/** What each request comes to. */
const ANSWERS: Readonly<Record<string, (steering: Steering, body: unknown) => unknown>> = {
  'GET /status': (steering) => steering.status(),
  'GET /probe': (steering) => steering.probe(),
  'GET /handlers': (steering) => steering.handlers(),
  'POST /pause': (steering) => {
    steering.pause();
    return steering.status();
  },
  'POST /resume': (steering) => {
    steering.resume();
    return steering.status();
  },
  'POST /drain': (steering) => {
    steering.drain();
    return steering.status();
  },
  'POST /cancel': async (steering, body) => forEach(body, (id) => steering.cancel(id)),
  'POST /retry-tasks': async (steering, body) => forEach(body, (id) => steering.retryTask(id)),
  'POST /retry': async (steering, body) => {
    const states = texts(body, 'states') as Requests['retry']['body']['states'];
    if (states.includes('done')) throw refused('a task that is done stays done');
    return { retried: await steering.retry(states) };
  },
  'POST /add': async (steering, body) => {
    const { tasks } = body as Requests['add']['body'];
    if (!Array.isArray(tasks)) throw refused('the body must be { "tasks": [ … ] }');
    return { tasks: await steering.add(tasks) };
  },
  'POST /scale': async (steering, body) => {
    const { threads } = body as Requests['scale']['body'];
    await steering.scale(threads);
    return steering.status();
  },
};

async function forEach(body: unknown, change: (id: string) => Promise<boolean>) {
  const ids = texts(body, 'ids');
  return { tasks: await Promise.all(ids.map(async (id) => ({ id, changed: await change(id) }))) };
}

/** @throws HoldfastError unless the body has a list of texts under that name */
function texts(body: unknown, name: string): readonly string[] {
  const list = (body as Record<string, unknown> | null)?.[name];
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
  throw refused(`the body must be { "${name}": [ texts ] }`);
}

function refused(why: string): HoldfastError {
  return new HoldfastError('ERR_INVALID_OPTIONS', why);
}

async function answer(request: IncomingMessage, steering: Steering): Promise<[number, unknown]> {
  const known = ANSWERS[`${request.method} ${request.url}`];
  if (known === undefined) return [404, { error: `unknown request: ${request.method} ${request.url}` }];
  const body = request.method === 'POST' ? await bodyOf(request) : undefined;
  if (monotonicMs() > Number(request.headers[DEADLINE_HEADER] ?? Infinity))
    return [408, { error: 'asked too long ago' }];
  return [200, await known(steering, body)];
}

/** @throws Error when it is too long, or no JSON */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`a request has at most ${formatSize(MAX_BODY_BYTES)}`);
    chunks.push(chunk);
  }
  return bytes === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
}

function sent(error: Error): SentError {
  const { message, code, hint } = error as HoldfastError;
  return { error: message, code, hint };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
