import { rmSync } from 'node:fs';
import { Session as InspectorSession } from 'node:inspector';
import { isMainThread, threadId } from 'node:worker_threads';
import type { Attached } from './attached.js';
import { ownFolder } from '../process/own-folder.js';
import type { Session } from './session.js';
import { Unanswered } from './unanswered.js';
import { attachWorkers } from './worker-sessions.js';

/**
 * Looks into this very process: from the main thread, into all its threads;
 * from a worker, into that one alone. No port is opened, and nobody who is
 * attached besides is disturbed. Nothing of it keeps the process alive but a
 * question to a worker, until it is answered.
 *
 * What is asked of the own thread is answered before `call` returns, and
 * cannot be asked while it waits for something.
 */
export async function attachToSelf(): Promise<Attached> {
  const inspector = new InspectorSession();
  inspector.connect();
  const unanswered = new Unanswered();
  inspector.on('NodeWorker.receivedMessageFromWorker', unanswered.heard);
  const session = adapted(inspector, unanswered);
  const workers = isMainThread ? await attachWorkers(session) : undefined;
  const folder = ownFolder();
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  // Heaps are large, and the program may end in the middle of a look.
  process.once('exit', remove);
  process.once('exit', unanswered.settle);
  let attached = true;
  return {
    threads: [{ threadId, name: isMainThread ? 'main' : `worker ${threadId}`, session }, ...(workers?.workers ?? [])],
    folder,
    detach: async () => {
      if (!attached) return;
      attached = false;
      await workers?.letGo();
      inspector.disconnect();
      process.off('exit', remove).off('exit', unanswered.settle);
      remove();
    },
  };
}

function adapted(inspector: InspectorSession, unanswered: Unanswered): Session {
  return {
    call: <Result>(method: string, params: object = {}) =>
      new Promise<Result>((resolve, reject) => {
        unanswered.asked(method);
        inspector.post(method, params, (error, result) => {
          if (error) reject(new Error(`${method}: ${error.message}`));
          else resolve(result as Result);
        });
      }),
    on: (event, listener) => {
      // What a worker tells interrupts whatever runs here, Node's own work included, which has ended the process (Node 20).
      // So it waits for what was interrupted to end.
      const wrapped = ({ params }: { params: never }) => void Promise.resolve().then(() => listener(params));
      inspector.on(event, wrapped);
      return () => inspector.off(event, wrapped);
    },
  };
}
