import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { HoldfastError } from '../../base/errors.js';
import { monotonicMs } from '../../base/monotonic.js';
import type { ExecutorStatus, ProbeAnswers } from '../status.js';
import { DEADLINE_HEADER } from './deadline.js';
import { controlSocketPath } from './socket-path.js';

/** Longer requests are none of ours. */
const MAX_HEADER_BYTES = 8192;

export interface ControlServer {
  path: string;
  close(): Promise<void>;
}

/** What a run lets other terminals do with it. */
export interface Steering {
  status(): Promise<ExecutorStatus>;
  probe(): ProbeAnswers;
  pause(): void;
  resume(): void;
  /** Lets what runs come to its end, and ends the run. */
  drain(): void;
}

/**
 * Lets other processes of this user steer the run: plain HTTP on a socket
 * (0600) in the run's folder (0700).
 *
 *   GET  /status             what `executor.status()` gives
 *   GET  /probe              what `executor.probe()` gives: at once, whatever the queue does
 *   POST /pause /resume /drain
 */
export async function serveControl(runDir: string, steering: Steering): Promise<ControlServer> {
  const path = controlSocketPath(runDir);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    answer(request, steering).then(
      ([status, body]) => reply(response, status, body),
      (error: Error) => reply(response, 500, { error: error.message }),
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

async function answer(request: IncomingMessage, steering: Steering): Promise<[number, unknown]> {
  if (monotonicMs() > Number(request.headers[DEADLINE_HEADER] ?? Infinity))
    return [408, { error: 'asked too long ago' }];
  switch (`${request.method} ${request.url}`) {
    case 'GET /status':
      break;
    case 'GET /probe':
      return [200, steering.probe()];
    case 'POST /pause':
      steering.pause();
      break;
    case 'POST /resume':
      steering.resume();
      break;
    case 'POST /drain':
      steering.drain();
      break;
    default:
      return [404, { error: `unknown request: ${request.method} ${request.url}` }];
  }
  return [200, await steering.status()];
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
