import { HoldfastError } from './errors.js';
import { quoted } from './faults.js';

/** Where health and metrics are served. */
export interface HttpAddress {
  host: string;
  /** 0: any that is free. */
  port: number;
}

const LOOPBACK = '127.0.0.1';
const HIGHEST_PORT = 65_535;

/**
 * `9090`, `0.0.0.0:9090`, `localhost:0`, `[::1]:9090`. Without a host it is
 * loopback: what others may see has to be said.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if it is anything else
 */
export function parseHttpAddress(given: unknown): HttpAddress {
  const match = /^(?:(?:\[([\da-f:.]+)\]|([^\s:[\]/@]+)):)?(\d{1,5})$/i.exec(String(given));
  const port = Number(match?.[3]);
  if (!['number', 'string'].includes(typeof given) || match === null || port > HIGHEST_PORT) {
    const examples = 'such as 9090, 0.0.0.0:9090 or [::1]:9090';
    throw new HoldfastError('ERR_INVALID_OPTIONS', `must be a port, or host:port, ${examples}; got ${quoted(given)}`);
  }
  return { host: match[1] ?? match[2] ?? LOOPBACK, port };
}

/** As it is written in a URL. */
export function urlOf({ host, port }: HttpAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether only programs of this machine can reach an address. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address);
}

/** The host of a `Host` header, without its port and brackets. */
export function hostOf(header: string): string {
  return header
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}
