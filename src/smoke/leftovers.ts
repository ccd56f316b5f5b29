/** What a process has open: its threads, handles, timers and children. So that what somebody left behind can be named. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What was open at one moment: a description each, by what tells it from others. */
export type Inventory = ReadonlyMap<string, string>;

/** Handles that belong to Node itself; the timers and ports of JavaScript hide behind them and are counted apart. */
const OF_NODE: ReadonlySet<string> = new Set(['async', 'check', 'idle', 'loop', 'prepare', 'timer']);

/** Resources that have no handle of their own in a report, and what to call them. */
const COUNTED = { Timeout: 'a timer', Immediate: 'an immediate', MessagePort: 'a message port' } as const;

/** Handles close, and children are buried, some turns of the event loop after they were told to. */
const PATIENCE_MS = 500;
const LOOK_AGAIN_MS = 10;

interface Endpoint {
  host?: string;
  ip4?: string;
  ip6?: string;
  port?: number;
}

/** Of a diagnostic report, what is used here. */
interface Report {
  libuv: Handle[];
  workers: { header: { threadId: number } }[];
}

interface Handle {
  type: string;
  address: string;
  pid?: number;
  filename?: string;
  localEndpoint?: Endpoint | string | null;
  remoteEndpoint?: Endpoint | string | null;
}

/**
 * What this process has open now. Takes about 3 ms, with some 4 ms for each
 * thread: a report asks every one of them.
 */
export function takeInventory(): Inventory {
  // Node opens these when they are first asked for, and that may be at any time.
  for (const stream of ['stdout', 'stderr'] as const) void process[stream];
  const { libuv, workers } = report();
  const open = new Map<string, string>();
  for (const { header } of workers) open.set(`thread ${header.threadId}`, `thread ${header.threadId}`);
  for (const [pid, command] of children(libuv)) open.set(`child ${pid}`, `child process ${pid}${command}`);
  for (const handle of libuv) {
    if (OF_NODE.has(handle.type) || handle.type === 'process') continue;
    open.set(`${handle.type} ${handle.address}`, `${handle.type} handle${placeOf(handle)}`);
  }
  const counts = new Map<string, number>();
  for (const resource of process.getActiveResourcesInfo()) {
    if (!(resource in COUNTED)) continue;
    const count = (counts.get(resource) ?? 0) + 1;
    counts.set(resource, count);
    open.set(`${resource} ${count}`, COUNTED[resource as keyof typeof COUNTED]);
  }
  return open;
}

/**
 * What is open now and was not then. Gives what is on its way out a moment to go.
 * @param ownTimers timers that whoever asks has running meanwhile
 */
export async function leftSince(
  then: Inventory,
  { ownTimers = 0, patienceMs = PATIENCE_MS }: { ownTimers?: number; patienceMs?: number } = {},
): Promise<string[]> {
  const deadline = performance.now() + Math.min(patienceMs, PATIENCE_MS);
  for (;;) {
    const now = new Map(takeInventory());
    let timers = ownTimers;
    for (const key of then.keys()) now.delete(key);
    for (const key of now.keys()) if (key.startsWith('Timeout ') && timers-- > 0) now.delete(key);
    if (now.size === 0 || performance.now() > deadline) return grouped([...now.values()]);
    await delay(LOOK_AGAIN_MS);
  }
}

/** `pipe handle (3 times)` instead of three of them. */
function grouped(names: readonly string[]): string[] {
  return [...new Set(names)].map((name) => {
    const count = names.filter((other) => other === name).length;
    return count === 1 ? name : `${name} (${count} times)`;
  });
}

function report(): Report {
  const { report } = process as { report?: { excludeNetwork?: boolean; getReport(): unknown } };
  if (report === undefined) return { libuv: [], workers: [] };
  // Or else the names of hosts behind its connections are asked for, one after the other.
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return report.getReport() as Report;
  } finally {
    report.excludeNetwork = before ?? false;
  }
}

/** Children of all threads where the system lists them (Linux), else those of the main thread. */
function children(handles: readonly Handle[]): Map<number, string> {
  const pids = handles.flatMap(({ type, pid }) => (type === 'process' && pid !== undefined ? [pid] : []));
  for (const task of readdirOf('/proc/self/task')) {
    pids.push(...textOf(`/proc/self/task/${task}/children`).split(' ').filter(Boolean).map(Number));
  }
  return new Map(pids.map((pid) => [pid, commandOf(pid)]));
}

function commandOf(pid: number): string {
  const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return command === '' ? '' : ` (${command})`;
}

function placeOf({ filename, localEndpoint, remoteEndpoint }: Handle): string {
  const ends = [endpointText(localEndpoint), endpointText(remoteEndpoint)].filter(Boolean).join(' to ');
  const place = filename ?? ends;
  return place === '' ? '' : ` (${place})`;
}

function endpointText(endpoint: Endpoint | string | null | undefined): string {
  if (typeof endpoint === 'string') return endpoint;
  if (!endpoint) return '';
  return `${endpoint.ip4 ?? endpoint.ip6 ?? endpoint.host ?? ''}:${endpoint.port ?? ''}`;
}

function readdirOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
