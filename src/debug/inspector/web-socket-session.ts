import { once } from 'node:events';
import { WebSocket } from 'ws';
import { MessageSession } from './session.js';

/** A session with the main thread of another process. */
export interface RemoteSession {
  session: MessageSession;
  /** Resolves when the other side closes the connection. */
  lost: Promise<void>;
  /** Ends the connection; what waits for an answer rejects. */
  close(): void;
}

/** @param deadlineMs how long the other side may take to answer */
export async function connect(url: string, deadlineMs: number): Promise<RemoteSession> {
  // Nothing is saved by packing what goes from process to process of one machine.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30, handshakeTimeout: deadlineMs });
  const session = new MessageSession((message) => socket.send(message));
  socket.on('message', (data: Buffer) => session.receive(data.toString()));
  await once(socket, 'open');
  // An error after that is followed by the close.
  socket.on('error', () => {});
  let leaving = false;
  return {
    session,
    lost: new Promise((resolve) => socket.on('close', () => !leaving && resolve())),
    close: () => {
      leaving = true;
      session.close(new Error('the connection was closed'));
      // Without a farewell: Node 20 and 22 often crash when they close the inspector while they answer
      // one (`WsHandler::OnCloseFrameWritten` uses what was freed).
      socket.terminate();
    },
  };
}
