import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HoldfastError } from '../../base/errors.js';
import type { ExecutorStatus, ProbeAnswer, ProbeAnswers } from '../status.js';
import { hostOf, isLoopback, urlOf, type HttpAddress } from '../../base/http-address.js';
import type { Metrics } from './metrics.js';
import { boundConnections } from './connections.js';

/** Longer requests are none of ours. */
const MAX_HEADER_BYTES = 8192;

/** Far more than ask after one executor; and far less than would take the files away that its tasks have to open. */
const MAX_CONNECTIONS = 64;

/** What is served: an executor. */
interface HealthSource {
  probe(): ProbeAnswers;
  status(): Promise<ExecutorStatus>;
}

export interface HealthServer {
  /** Where it listens: the port is the one that was got. */
  address: HttpAddress;
  url: string;
  /** From now on this executor answers; before, it is starting. */
  serve(source: HealthSource): void;
  close(): Promise<void>;
}

const PROBES = { '/livez': 'live', '/readyz': 'ready', '/startupz': 'startup' } as const;

const STARTING: ProbeAnswers = {
  live: { ok: true, why: 'it is starting' },
  ready: { ok: false, why: 'it is starting' },
  startup: { ok: false, why: 'it is starting' },
};

interface Reply {
  status: number;
  type?: string;
  text: string;
}

/**
 * Listens for those who ask after the health of an executor:
 *
 *   GET /livez /readyz /startupz   200 or 503, and why
 *   GET /metrics                   for Prometheus
 *
 * It keeps no process alive.
 *
 * @throws HoldfastError `ERR_HTTP_ADDRESS` when it cannot listen there
 */
export async function serveHealth(address: HttpAddress): Promise<HealthServer> {
  let source: HealthSource | undefined;
  let metrics: Promise<Metrics> | undefined;
  const scrape = async (executor: HealthSource): Promise<Reply> => {
    // prom-client takes 15 ms to load: whoever asks for the probes alone does without.
    metrics ??= import('./metrics.js').then(({ createMetrics }) => createMetrics());
    const { contentType, text } = await metrics;
    return { status: 200, type: contentType, text: await text(await executor.status()) };
  };
  let local = true;
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    if (local && !isFromHere(request, address)) return send(request, response, NOT_FROM_HERE);
    answer(request, source, scrape).then(
      (reply) => send(request, response, reply),
      (error: Error) => send(request, response, { status: 503, text: `not known: ${error.message}\n` }),
    );
  });
  boundConnections(server, MAX_CONNECTIONS);
  server.listen({ host: address.host, port: address.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw notListening(address, error as NodeJS.ErrnoException);
  }
  server.unref();
  const bound = server.address() as AddressInfo;
  local = isLoopback(bound.address);
  const got = { host: address.host, port: bound.port };
  return {
    address: got,
    url: urlOf(got),
    serve: (executor) => (source = executor),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const NOT_FROM_HERE: Reply = {
  status: 403,
  text: 'it serves this machine alone: ask for localhost or 127.0.0.1\n',
};

/**
 * A page of another site may have its own name lead to 127.0.0.1, and would then
 * read what is served here as its own. The browser tells by which name it came.
 * Only very old clients send none, and no browser.
 */
function isFromHere({ headers }: IncomingMessage, { host }: HttpAddress): boolean {
  if (headers.host === undefined) return true;
  const named = hostOf(headers.host);
  return isLoopback(named) || named === host.toLowerCase();
}

async function answer(
  { method, url = '' }: IncomingMessage,
  source: HealthSource | undefined,
  scrape: (source: HealthSource) => Promise<Reply>,
): Promise<Reply> {
  const path = url.split('?', 1)[0]!;
  const probe = PROBES[path as keyof typeof PROBES] as (typeof PROBES)[keyof typeof PROBES] | undefined;
  if (probe === undefined && path !== '/metrics') {
    return { status: 404, text: `there are ${Object.keys(PROBES).join(', ')}, /metrics\n` };
  }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'only GET and HEAD\n' };
  if (probe !== undefined) return replyOf((source?.probe() ?? STARTING)[probe]);
  return source === undefined ? { status: 503, text: 'it is starting\n' } : scrape(source);
}

function replyOf({ ok, why }: ProbeAnswer): Reply {
  return ok ? { status: 200, text: `ok: ${why}\n` } : { status: 503, text: `not ok: ${why}\n` };
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, type, text }: Reply): void {
  response.writeHead(status, {
    'content-type': type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(method === 'HEAD' ? undefined : text);
}

function notListening(address: HttpAddress, cause: NodeJS.ErrnoException): HoldfastError {
  const where = `cannot serve health and metrics on ${urlOf(address)}`;
  const hints: Record<string, [why: string, hint: string]> = {
    EADDRINUSE: ['the port is in use', 'Choose another one, or 0 for any that is free.'],
    EACCES: ['this user may not listen there', 'Ports below 1024 are for root: choose a higher one.'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Without a host it is 127.0.0.1; 0.0.0.0 is every address.'],
    ENOTFOUND: ['there is no such host', 'Without a host it is 127.0.0.1; 0.0.0.0 is every address.'],
  };
  const [why, hint] = hints[cause.code ?? ''] ?? [cause.message, undefined];
  return new HoldfastError('ERR_HTTP_ADDRESS', `${where}: ${why}`, { cause, ...(hint !== undefined && { hint }) });
}
