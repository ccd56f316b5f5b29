import { HoldfastError } from '../../base/errors.js';
import type { HealthServer } from '../../runtime/health/http-server.js';
import type { JobControl } from './job/job-control.js';
import type { RunFlags } from './run-flags.js';
import { tell } from '../screen/terminal.js';

/**
 * Serves health and metrics where `--http` wants them, before the executor
 * starts: a port that is taken ends the command, and no task was.
 *
 * @throws HoldfastError `ERR_HTTP_ADDRESS`
 */
export async function listen({ http, quiet }: RunFlags, { carried }: JobControl): Promise<HealthServer | undefined> {
  if (http === undefined) return undefined;
  const { serveHealth } = await import('../../runtime/health/http-server.js');
  try {
    const server = await serveHealth({ ...http, port: carried?.httpPort ?? http.port });
    if (carried === undefined && !quiet) tell(`health and metrics on ${server.url}`);
    return server;
  } catch (error) {
    if (carried === undefined || !(error instanceof HoldfastError)) throw error;
    // In the place of one that died, with tasks that wait: they count for more.
    tell(`runtime: ${error.message}; going on without`);
    return undefined;
  }
}
