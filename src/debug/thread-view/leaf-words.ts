import { formatDuration } from '../../base/units.js';
import type { HeapLeaf } from '../await/findings.js';
import type { Handle, Leaf } from '../inspection.js';
import type { RawHandle } from './in-target.js';
import type { Scripts } from './scripts.js';

/**
 * @param now time of the thread's event loop
 * @param known what open handles tell of themselves, by heap id
 */
export function leafOf(leaf: HeapLeaf, now: number, known: ReadonlyMap<number, RawHandle>, scripts: Scripts): Leaf {
  const handle = leaf.objects.map((object) => known.get(object)).find((found) => found !== undefined);
  const heldAt = leaf.heldAt && scripts.placeOf(leaf.heldAt);
  const told: Omit<Leaf, 'what'> = {
    kind: leaf.kind,
    count: leaf.count,
    via: leaf.via,
    ...(leaf.className !== '' && { className: leaf.className }),
    ...(leaf.timer && { dueInMs: Math.round(leaf.timer.startedAt + leaf.timer.afterMs - now) }),
    ...(handle?.peer !== undefined && { peer: handle.peer }),
    ...(handle?.local !== undefined && { local: handle.local }),
    ...definedOnly({ path: leaf.path ?? handle?.path, pid: handle?.pid, threadId: handle?.threadId }),
    ...definedOnly({ event: leaf.event, url: leaf.url, heldAs: leaf.heldAs, heldBy: leaf.heldBy }),
    ...(heldAt && { heldAt }),
  };
  return { ...told, what: wordsOf(told) };
}

function wordsOf(leaf: Omit<Leaf, 'what'>): string {
  const event = leaf.event === undefined ? '' : `, for "${leaf.event}"`;
  switch (leaf.kind) {
    case 'timer':
      return leaf.dueInMs === undefined ? 'timer' : `timer, ${dueWords(leaf.dueInMs)}`;
    case 'promise':
      return `promise${holderWords(leaf)}`;
    case 'microtask':
      return 'nothing: it is about to go on';
    case 'lock':
      return `lock ${[leaf.heldBy, leaf.heldAs].filter(Boolean).join('.')}`;
    case 'event':
      return `event "${leaf.event ?? '?'}" of ${leaf.className ?? 'an emitter'}`;
    default:
      return `${leaf.kind}${leaf.url === undefined ? endpointWords(leaf) : ` ${leaf.url}`}${event}`;
  }
}

function dueWords(ms: number): string {
  return ms >= 0 ? `due in ${formatDuration(ms)}` : `overdue by ${formatDuration(-ms)}`;
}

function holderWords({ heldAs, heldBy, heldAt }: Omit<Leaf, 'what'>): string {
  if (heldBy !== undefined) return `, its resolver held by ${[heldBy, heldAs].filter(Boolean).join('.')}`;
  if (heldAs === undefined) return ' that nobody is known to settle';
  return `, its resolver held in "${heldAs}"${heldAt === undefined ? '' : ` (${heldAt.file}:${heldAt.line}:${heldAt.column})`}`;
}

function endpointWords({
  peer,
  local,
  path,
  pid,
  threadId,
}: Pick<RawHandle, 'peer' | 'local' | 'path' | 'pid' | 'threadId'>): string {
  if (peer !== undefined) return ` to ${peer}`;
  const parts: string[] = [];
  if (local !== undefined) parts.push(`on ${local}`);
  if (pid !== undefined) parts.push(`${pid}`);
  if (threadId !== undefined) parts.push(`${threadId}`);
  if (path !== undefined) parts.push(path);
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

/** What things are, by the name of their class. */
const HANDLE_KINDS: readonly [RegExp, string][] = [
  [/^Timeout$/, 'timer'],
  [/^Immediate$/, 'immediate'],
  [/^(Socket|TLSSocket|TCP|Pipe|TCPConnectWrap|PipeConnectWrap)$/, 'socket'],
  [/^(ReadStream|WriteStream|TTY)$/, 'terminal'],
  [/Server$/, 'server'],
  [/^(FSReq|FileHandle)\w*$/, 'file operation'],
  [/^(FSWatcher|FSEvent|StatWatcher)$/, 'file watcher'],
  [/^(GetAddrInfo|GetNameInfo|Query)ReqWrap$/, 'name lookup'],
  [/^ChildProcess$/, 'child process'],
  [/^Worker$/, 'worker thread'],
  [/^(MessagePort|BroadcastChannel)$/, 'message port'],
];

export function handlesOf(raw: readonly RawHandle[]): Handle[] {
  const alike = new Map<string, Handle>();
  for (const handle of raw) {
    const kind = HANDLE_KINDS.find(([name]) => name.test(handle.className))?.[1] ?? handle.className;
    const standard = ['stdin', 'stdout', 'stderr'][handle.fd ?? -1];
    const name = standard !== undefined && /socket|terminal|WriteStream/.test(kind) ? `${kind} (${standard})` : kind;
    const what = `${name}${endpointWords(handle)}`;
    const key = `${what} ${handle.keepsAlive}`;
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { kind, count: handle.count, what, keepsAlive: handle.keepsAlive });
    else known.count += handle.count;
  }
  return [...alike.values()];
}

/** Optional fields are left out rather than set to nothing. */
function definedOnly<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
