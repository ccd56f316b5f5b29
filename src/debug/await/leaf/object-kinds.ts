import type { LeafKind } from '../../inspection.js';

/** What things are, by the name of their class; the first that fits. */
const KINDS: readonly [RegExp, LeafKind][] = [
  [/^Timeout$/, 'timer'],
  [/^Immediate$/, 'immediate'],
  [/^(GetAddrInfo|GetNameInfo|Query)ReqWrap$/, 'name lookup'],
  [/^(FSReq\w+|FileHandle|FileHandleCloseReq|FSEvent|FSWatcher|StatWatcher|\w*FileJob)$/, 'file operation'],
  [/^(ChildProcess|Process)$/, 'child process'],
  [/^Worker$/, 'worker thread'],
  [/^(MessagePort|BroadcastChannel)$/, 'message port'],
  [/^(ClientRequest|ClientHttp2Stream)$/, 'http request'],
  [
    /^(Socket|TLSSocket|TCP|Pipe|TTY|UDP|TLSWrap|JSStreamSocket|\w+ConnectWrap|WriteWrap|ShutdownWrap|SendWrap|\w*Http2Session)$/,
    'socket',
  ],
  [/^\w*Server$/, 'server'],
  [
    /^((File)?(Read|Write)Stream|Readable|Writable|Duplex|Transform|PassThrough|Interface|IncomingMessage|ServerResponse|ServerHttp2Stream|(Readable|Writable|Transform)Stream(Default|BYOB)?(Reader|Writer|Controller)?)$/,
    'stream',
  ],
];

export function kindOf(className: string): LeafKind | undefined {
  return KINDS.find(([name]) => name.test(className))?.[1];
}

/** What an answer may come through: who has one of these, and something that waits, most likely waits for it. */
const CONNECTIONS: ReadonlySet<LeafKind> = new Set(['socket', 'child process', 'worker thread', 'message port']);

export function isConnection(kind: LeafKind): boolean {
  return CONNECTIONS.has(kind);
}

/** Classes whose objects let one in after the other. */
export function isLock(className: string): boolean {
  return /lock|mutex|semaphore/i.test(className);
}

/** Events that mostly tell that something else does not come any more. */
const ENDINGS: ReadonlySet<string> = new Set(['close', 'end', 'finish', 'exit', 'prefinish']);
const FAILURES: ReadonlySet<string> = new Set(['error', 'abort', 'aborted', 'messageerror']);

/**
 * Who waits for a reply gives up at an error, or after a time: of several
 * things that settle a promise, the one with the lowest rank is waited for. A
 * child process is what its streams are read for.
 */
export function rankOf(kind: LeafKind, event: string | undefined): -1 | 0 | 1 | 2 {
  if (event !== undefined && FAILURES.has(event)) return 2;
  if (kind === 'child process') return -1;
  return kind === 'timer' || (event !== undefined && ENDINGS.has(event)) ? 1 : 0;
}
