import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Acknowledgement } from './acknowledgement.js';
import { MessageSession } from './session.js';

/** A session with the main thread of another process. */
export interface RemoteSession {
  session: MessageSession;
  /** Resolves when the other side closes the connection. */
  lost: Promise<void>;
  /** Ends the connection, once the last answers have come; what waits for one rejects at once. Never rejects. */
  close(): Promise<void>;
}

/** @param deadlineMs how long the other side may take to answer */
export async function connect(url: string, deadlineMs: number): Promise<RemoteSession> {
  // Nothing is saved by packing what goes from process to process of one machine.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30, handshakeTimeout: deadlineMs });
  const acknowledgement = new Acknowledgement(socket);
  const session = new MessageSession((message) => {
    socket.send(message);
    acknowledgement.sent(message);
  });
  socket.on('message', (data: Buffer) => {
    const message = data.toString();
    acknowledgement.received(message);
    session.receive(message);
  });
  await once(socket, 'open');
  // An error after that is followed by the close.
  socket.on('error', () => {});
  socket.on('close', () => acknowledgement.gone());
  let leaving = false;
  return {
    session,
    lost: new Promise((resolve) => socket.on('close', () => !leaving && resolve())),
    close: async () => {
      leaving = true;
      session.close(new Error('the connection was closed'));
      await acknowledgement.quiet();
      // Without a farewell, as our kind of end is one that Node 20 to 26 outlive: others ended them (SIGSEGV).
      socket.terminate();
    },
  };
}
