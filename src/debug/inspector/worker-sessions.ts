import { MessageSession, type Session } from './session.js';

/** A worker thread, and how to talk to it. */
export interface WorkerSession {
  /** Of the thread, as `worker_threads.threadId` has it. */
  threadId: number;
  /** As its program named it. */
  title: string;
  session: Session;
}

interface Attached {
  sessionId: string;
  workerInfo: { workerId: string; title: string };
}

/**
 * Sessions with all worker threads of a process, through the one with its main
 * thread. The threads need not turn: V8 interrupts what runs in them.
 *
 * `close` lets them go, without which they would wait for whoever is attached.
 */
export async function attachWorkers(main: Session): Promise<{ workers: WorkerSession[]; close(): Promise<void> }> {
  const workers: WorkerSession[] = [];
  const sessions = new Map<string, MessageSession>();
  const forget = [
    main.on<Attached>('NodeWorker.attachedToWorker', ({ sessionId, workerInfo }) => {
      const session = new MessageSession((message) => {
        main
          .call('NodeWorker.sendMessageToWorker', { sessionId, message })
          .catch((error: Error) => session.close(error));
      });
      sessions.set(sessionId, session);
      workers.push({ threadId: Number(workerInfo.workerId), title: workerInfo.title, session });
    }),
    main.on<{ sessionId: string; message: string }>('NodeWorker.receivedMessageFromWorker', ({ sessionId, message }) =>
      sessions.get(sessionId)?.receive(message),
    ),
    main.on<{ sessionId: string }>('NodeWorker.detachedFromWorker', ({ sessionId }) =>
      sessions.get(sessionId)?.close(new Error('the thread has ended')),
    ),
  ];
  // Tells of those that there are before it answers.
  await main.call('NodeWorker.enable', { waitForDebuggerOnStart: false });
  return {
    workers,
    close: async () => {
      await main.call('NodeWorker.disable').catch(() => {});
      for (const off of forget) off();
    },
  };
}
