import { setTimeout as delay } from 'node:timers/promises';
import { MessageSession, type Session } from './session.js';

/** A worker thread, and how to talk to it. */
export interface WorkerSession {
  /** Of the thread, as `worker_threads.threadId` has it. */
  threadId: number;
  /** As its program named it; else as Node names it. */
  name: string;
  session: Session;
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

/**
 * Sessions with all worker threads of a process, through the one with its main
 * thread. The threads need not turn: V8 interrupts what runs in them.
 *
 * `close` lets them go, without which they would wait for whoever is attached.
 */
export async function attachWorkers(
  main: Session,
  { overSocket }: { overSocket: boolean },
): Promise<{ workers: WorkerSession[]; close(): Promise<void> }> {
  const workers: WorkerSession[] = [];
  const sessions = new Map<string, MessageSession>();
  const forget = [
    main.on('NodeWorker.attachedToWorker', ({ sessionId, workerInfo }: Attached) => {
      const session = new MessageSession((message) => {
        main
          .call('NodeWorker.sendMessageToWorker', { sessionId, message })
          .then(() => (overSocket ? acknowledge(main, session) : undefined))
          .catch((error: Error) => session.close(error));
      });
      sessions.set(sessionId, session);
      workers.push({ ...named(workerInfo.title), session });
    }),
    main.on('NodeWorker.receivedMessageFromWorker', ({ sessionId, message }: Received) =>
      sessions.get(sessionId)?.receive(message),
    ),
    main.on('NodeWorker.detachedFromWorker', ({ sessionId }: Detached) =>
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

/**
 * What a worker says comes as a second small packet after the receipt for the
 * question, and the target's kernel holds it back until ours acknowledges the
 * first (Nagle's algorithm), which ours puts off for 40 ms, unless it has
 * something to send along. With this an answer takes 4 ms, without it 45.
 */
async function acknowledge(main: Session, session: MessageSession): Promise<void> {
  for (let pauseMs = 1; session.waits && pauseMs < 40; pauseMs *= 2) {
    await main.call('Schema.getDomains');
    await delay(pauseMs);
  }
}

/** From `[worker 3] name`, or `[worker 3]`: `workerId` is another count. */
function named(title: string): { threadId: number; name: string } {
  const [, threadId, name] = /^\[worker (\d+)\] ?(.*)$/s.exec(title) ?? [];
  return threadId === undefined
    ? { threadId: -1, name: title }
    : { threadId: Number(threadId), name: name || `worker ${threadId}` };
}
