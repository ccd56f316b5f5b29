import { once } from 'node:events';
import { WebSocket } from 'ws';
import { MessageSession } from './session.js';

/** A session with the main thread of another process. */
export interface RemoteSession {
  session: MessageSession;
  /** Resolves when the other side closes the connection. */
  lost: Promise<void>;
  /** Resolves once nothing more is sent or received; what was sent before arrives. */
  close(): Promise<void>;
}

/** How long the other side may take to close the connection, too, in ms. */
const CLOSE_MS = 500;

/** @param deadlineMs how long the other side may take to answer */
export async function connect(url: string, deadlineMs: number): Promise<RemoteSession> {
  // Nothing is saved by packing what goes from process to process of one machine.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30, handshakeTimeout: deadlineMs });
  const session = new MessageSession((message) => socket.send(message));
  socket.on('message', (data: Buffer) => session.receive(data.toString()));
  await once(socket, 'open');
  // An error after that is followed by the close.
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  let leaving = false;
  return {
    session,
    lost: new Promise((resolve) => void closed.then(() => !leaving && resolve())),
    close: async () => {
      leaving = true;
      session.close(new Error('the connection was closed'));
      const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
      socket.close();
      await closed;
      clearTimeout(timer);
    },
  };
}
