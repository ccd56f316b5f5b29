import { mkdtempSync, rmSync } from 'node:fs';
import { Session as InspectorSession } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import type { Attached } from './attached.js';
import type { Session } from './session.js';
import { attachWorkers } from './worker-sessions.js';

/** Looks into this very process: from the main thread, all its threads; from a worker, that one alone. No port is opened. */
export async function attachToSelf(): Promise<Attached> {
  const inspector = new InspectorSession();
  inspector.connect();
  const session = adapted(inspector);
  const { workers, close } = isMainThread
    ? await attachWorkers(session, { overSocket: false })
    : { workers: [], close: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-inspect-'));
  return {
    threads: [
      { threadId, name: isMainThread ? 'main' : `worker ${threadId}`, session },
      ...workers.map(({ threadId: id, name, session: theirs }) => ({ threadId: id, name, session: theirs })),
    ],
    folder,
    detach: async () => {
      await close();
      inspector.disconnect();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function adapted(inspector: InspectorSession): Session {
  return {
    call: <Result>(method: string, params: object = {}) =>
      new Promise<Result>((resolve, reject) => {
        inspector.post(method, params, (error, result) => {
          if (error) reject(new Error(`${method}: ${error.message}`));
          else resolve(result as Result);
        });
      }),
    on: (event: string, listener: (params: never) => void) => {
      const wrapped = ({ params }: { params: never }) => listener(params);
      inspector.on(event, wrapped as () => void);
      return () => inspector.off(event, wrapped as () => void);
    },
  };
}
