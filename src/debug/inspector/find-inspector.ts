import { get } from 'node:http';
import { listenersOf, type Listener } from '../process/listeners.js';
import { wordsOf } from '../process/target-process.js';

/** Where the inspector of a process listens. */
export interface Inspector {
  listener: Listener;
  /** Of its WebSocket. */
  url: string;
}

/** What Node opens it at, if it is not told otherwise. */
const DEFAULT_PORT = 9229;

/** How long it may take to answer, in ms: a thread of its own does. */
const ANSWER_MS = 1_000;

/** Ports at which the inspector of a process opens, as its command line and its environment say; 0: any. */
export function inspectorPorts(pid: number): number[] {
  const options = /(?:^|\s)--(?:inspect(?:-brk|-wait|-port)?|debug-port)(?:[= ](?:\S*:)?(\d+))(?=\s|$)/g;
  const named = [...wordsOf(pid).join(' ').matchAll(options)].map(([, port]) => Number(port));
  return named.length > 0 ? named : [DEFAULT_PORT];
}

/** The inspector of a process that is open at one of these ports. Others are not asked: they are those of its program. */
export function inspectorAmong(pid: number, ports: readonly number[]): Promise<Inspector | undefined> {
  return firstInspector(listenersOf(pid).filter(({ port }) => ports.includes(port)));
}

/** The inspector of a process that listens at another port than these. */
export function inspectorBeside(pid: number, ports: readonly number[]): Promise<Inspector | undefined> {
  return firstInspector(listenersOf(pid).filter(({ port }) => !ports.includes(port)));
}

async function firstInspector(listeners: readonly Listener[]): Promise<Inspector | undefined> {
  const urls = await Promise.all(listeners.map(urlAt));
  const index = urls.findIndex((url) => url !== undefined);
  return index < 0 ? undefined : { listener: listeners[index]!, url: urls[index]! };
}

/** `undefined` when it is no inspector that listens there. */
function urlAt({ host, port }: Listener): Promise<string | undefined> {
  return new Promise((resolve) => {
    // No agent: it would keep the connection open.
    const request = get({ host, port, path: '/json/list', agent: false, timeout: ANSWER_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(urlIn(text)));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function urlIn(list: string): string | undefined {
  try {
    const url = (JSON.parse(list) as { webSocketDebuggerUrl?: unknown }[])[0]?.webSocketDebuggerUrl;
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}
