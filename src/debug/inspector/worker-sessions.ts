import { MessageSession, SessionEnded, type Session } from './session.js';

/** A worker thread, and how to talk to it. */
interface WorkerSession {
  /** Of the thread, as `worker_threads.threadId` has it. */
  threadId: number;
  /** As its program named it; else `worker` and its id. */
  name: string;
  session: Session;
}

export interface Workers {
  /** In the order of their start. */
  workers: WorkerSession[];
  /** Lets them go, without which they would wait for whoever is attached. Never rejects. */
  letGo(): Promise<void>;
  /** Nothing will come from them any more; what waits rejects. */
  close(why: Error): void;
}

interface Attached {
  sessionId: string;
  workerInfo: { title: string };
}

interface Received {
  sessionId: string;
  message: string;
}

interface Detached {
  sessionId: string;
}

/** How long a main thread that answered before may take to let its workers go, in ms. */
const LET_GO_MS = 1_000;

/** After the last answer of a worker that ends, its end is told within 20 ms; here with room for a busy machine. */
const END_MS = 500;

/**
 * Sessions with all worker threads of a process, those that workers started
 * included, through the one with its main thread. The threads need not turn:
 * V8 interrupts what runs in them.
 * Nothing is ever paused in them: the end of a session lets a main thread go on,
 * and no worker (Node 20 to 26).
 */
export async function attachWorkers(main: Session): Promise<Workers> {
  const workers: WorkerSession[] = [];
  const sessions = new Map<string, MessageSession>();
  const forget = [
    main.on('NodeWorker.attachedToWorker', ({ sessionId, workerInfo }: Attached) => {
      const session: MessageSession = new MessageSession((message) => {
        main
          .call('NodeWorker.sendMessageToWorker', { sessionId, message })
          .catch((error: Error) => session.close(error));
      }, END_MS);
      sessions.set(sessionId, session);
      workers.push({ ...named(workerInfo.title), session });
    }),
    main.on('NodeWorker.receivedMessageFromWorker', ({ sessionId, message }: Received) =>
      sessions.get(sessionId)?.receive(message),
    ),
    main.on('NodeWorker.detachedFromWorker', ({ sessionId }: Detached) =>
      sessions.get(sessionId)?.close(new SessionEnded()),
    ),
  ];
  const close = (why: Error) => {
    for (const session of sessions.values()) session.close(why);
  };
  // Tells of those that there are before it answers.
  await main.call('NodeWorker.enable', { waitForDebuggerOnStart: false });
  return {
    workers: workers.toSorted((a, b) => a.threadId - b.threadId),
    letGo: async () => {
      await main.call('NodeWorker.disable', {}, LET_GO_MS).catch(() => {});
      for (const off of forget) off();
      close(new Error('the thread was let go'));
    },
    close,
  };
}

/** From `[worker 3] name`; the `workerId` beside it is another count. */
function named(title: string): { threadId: number; name: string } {
  const [, id, name] = /^\[worker (\d+)\] ?(.*)$/s.exec(title)!;
  // `WorkerThread` is what Node 24 calls those that have no name.
  return { threadId: Number(id), name: name === '' || name === 'WorkerThread' ? `worker ${id}` : name! };
}
