import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps no more than `max` connections. One more ends the oldest of those that
 * wait for a request, or are still sending one; only where each has a request
 * under way, it is ended itself. So connections that nobody uses keep nobody out.
 *
 * (`server.maxConnections` refuses the new one, whatever the others do.)
 */
export function boundConnections(server: Server, max: number): void {
  // A Set keeps the order in which its members came.
  const idle = new Set<Socket>();
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open++;
    idle.add(socket);
    socket.once('close', () => {
      open--;
      idle.delete(socket);
    });
    if (open <= max) return;
    const [oldest] = idle;
    idle.delete(oldest!);
    oldest!.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}
