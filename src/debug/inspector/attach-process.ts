import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attached } from './attached.js';
import { portsOf } from './target-process.js';
import { connect } from './web-socket-session.js';
import { attachWorkers } from './worker-sessions.js';

export interface AttachOptions {
  /** Told what takes long, as a sentence. */
  onNote?: ((note: string) => void) | undefined;
}

/** Looks into another process of the same user. */
export async function attachToProcess(pid: number, _options: AttachOptions = {}): Promise<Attached> {
  let url = await inspectorOf(pid);
  const opened = url === undefined;
  if (url === undefined) {
    process.kill(pid, 'SIGUSR1');
    for (let n = 0; n < 500 && url === undefined; n++) {
      await delay(10);
      url = await inspectorOf(pid);
    }
    if (url === undefined) throw new Error('the inspector did not open');
  }
  const { session, close } = await connect(url, 5_000);
  const { workers, close: letGo } = await attachWorkers(session, { overSocket: true });
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-inspect-'));
  return {
    threads: [
      { threadId: 0, name: 'main', session },
      ...workers.map(({ threadId, name, session }) => ({ threadId, name, session })),
    ],
    folder,
    detach: async () => {
      await letGo();
      rmSync(folder, { recursive: true, force: true });
      const expression = `process.getBuiltinModule('inspector').close()`;
      if (opened) await session.call('Runtime.evaluate', { expression }, 200).catch(() => {});
      close();
    },
  };
}

async function inspectorOf(pid: number): Promise<string | undefined> {
  for (const port of portsOf(pid)) {
    const url = await new Promise<string | undefined>((resolve) => {
      const request = get({ port, host: '127.0.0.1', path: '/json/list', timeout: 500 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          try {
            resolve((JSON.parse(text) as { webSocketDebuggerUrl: string }[])[0]?.webSocketDebuggerUrl);
          } catch {
            resolve(undefined);
          }
        });
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
    });
    if (url !== undefined) return url;
  }
  return undefined;
}
