import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { QueueStore, TaskQueue } from '../../dist/runtime/queue/contract.js';
import { KeeperClient } from '../../dist/runtime/queue/keeper/client.js';
import { KeeperServer } from '../../dist/runtime/queue/keeper/server.js';

/** A keeper in this very process, and a socket between it and each executor. */
export class KeptStore {
  readonly server: KeeperServer;
  readonly #dir: string;
  #lines = 0;

  /** @param dir for sockets: private, and short */
  constructor(dir: string, open: () => Promise<QueueStore>) {
    this.#dir = dir;
    this.server = new KeeperServer({
      open,
      discard: async (error) => {
        throw error;
      },
    });
  }

  /** Both ends of a new line: the first one is the executor's. */
  async line(): Promise<[Socket, Socket]> {
    const path = join(this.#dir, `${++this.#lines}.sock`);
    const listening = createServer().listen(path);
    await once(listening, 'listening');
    const executors = connect(path);
    const [keepers] = (await once(listening, 'connection')) as [Socket];
    listening.close();
    return [executors, keepers];
  }

  /** The queue as the next executor has it, and its end of the line; destroyed, the executor is dead. */
  async join(fresh = false): Promise<{ queue: TaskQueue; line: Socket; served: Promise<boolean> }> {
    const [line, keepers] = await this.line();
    const served = this.server.serve(keepers);
    const queue = await new KeeperClient({ socket: line, ended: async () => 'has ended' }).join(fresh);
    return { queue, line, served };
  }
}
