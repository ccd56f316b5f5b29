import { WebSocket } from 'ws';
import { MessageSession } from './session.js';

/** A session with the main thread of another process. */
export interface RemoteSession {
  session: MessageSession;
  close(): void;
}

/** @param deadlineMs how long the other side may take to answer */
export function connect(url: string, deadlineMs: number): Promise<RemoteSession> {
  // Nothing is saved by packing what goes from process to process of one machine.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30, handshakeTimeout: deadlineMs });
  const session = new MessageSession((message) => socket.send(message));
  socket.on('message', (data: Buffer) => session.receive(data.toString()));
  socket.on('close', () => session.close(new Error('the connection was closed')));
  return new Promise((resolve, reject) => {
    // Stays on: an error after the connection was made is followed by its close.
    socket.on('error', reject);
    socket.on('open', () => resolve({ session, close: () => socket.terminate() }));
  });
}
