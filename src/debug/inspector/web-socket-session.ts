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

/** Asks for what every thread knows at once; nobody waits for its answer. */
const NOTHING = JSON.stringify({ id: 0, method: 'Schema.getDomains' });

/** After how many ms our kernel acknowledges a packet, if there is nothing to send along. */
const KERNEL_MS = 40;

/**
 * Has packets of the other side acknowledged soon, by sending something. Its
 * kernel holds each small one back until ours has acknowledged the one before
 * (Nagle's algorithm), and the answer of a worker is the second one, after a
 * receipt. With this it takes 2 ms, without it 45.
 */
class Acknowledgement {
  readonly #socket: WebSocket;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Something was asked: the answer may come soon, or later. */
  begin(pauseMs = 1): void {
    this.end();
    if (pauseMs > KERNEL_MS) return;
    this.#timer = setTimeout(() => {
      this.#socket.send(NOTHING);
      this.begin(pauseMs * 2);
    }, pauseMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** @param deadlineMs how long the other side may take to answer */
export async function connect(url: string, deadlineMs: number): Promise<RemoteSession> {
  // Nothing is saved by packing what goes from process to process of one machine.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30, handshakeTimeout: deadlineMs });
  const acknowledgement = new Acknowledgement(socket);
  const session = new MessageSession((message) => {
    socket.send(message);
    acknowledgement.begin();
  });
  socket.on('message', (data: Buffer) => session.receive(data.toString()));
  await once(socket, 'open');
  // An error after that is followed by the close.
  socket.on('error', () => {});
  socket.on('close', () => acknowledgement.end());
  let leaving = false;
  return {
    session,
    lost: new Promise((resolve) => socket.on('close', () => !leaving && resolve())),
    close: () => {
      leaving = true;
      session.close(new Error('the connection was closed'));
      // Without a farewell, as our kind of end is one that Node 20 to 26 outlive: others ended them (SIGSEGV).
      socket.terminate();
    },
  };
}
