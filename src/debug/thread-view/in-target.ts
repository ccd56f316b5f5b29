/**
 * Functions whose source is sent to another thread and run there. Each must
 * stand alone: it sees nothing of this module, and an old Node, a program that
 * changed `Error`, or a worker may be what runs it.
 */
import type { PerformanceNodeTiming } from 'node:perf_hooks';
import type { OpenStream, TaskReference } from '../inspection.js';
import type { RunningTask } from '../running-tasks.js';

/**
 * A call on the stack: function, file or URL, line and column from 1; as V8 tells it, nothing where it tells nothing.
 * One that only awaits what is above it is named `async …`.
 */
export type RawFrame = [name: string | null, file: string | null, line: number | null, column: number | null];

export interface Survey {
  pid: number;
  node: string;
  command: string;
  /** What was interrupted, the innermost first; none when the thread waits in its event loop. */
  frames: RawFrame[];
  /** Bytes. */
  heapUsed: number;
  /** Bytes of it in spaces of many small objects, without the newest, which are garbage mostly: what a walk through the heap goes by. */
  smallObjects: number;
  /** JSON of a `HooksSnapshot`, where async_hooks keep account. */
  hooks: string | undefined;
  /** About the time of the thread's event loop, as its timers count it. */
  now: number;
  /** Of its event loop: another one once that has turned, or waited for something to happen. */
  turn: string;
  /** What runs in a thread of holdfast; `null` in any other thread. */
  tasks: TaskReference[] | null;
}

/** An open handle or request, with what it tells of itself. */
export interface RawHandle {
  className: string;
  /** Timers and immediates are known by their number alone. */
  count: number;
  keepsAlive: boolean;
  local?: string;
  peer?: string;
  path?: string;
  pid?: number;
  fd?: number;
  threadId?: number;
}

/** Node's own, typed as far as it is used here. */
interface NodeProcess extends NodeJS.Process {
  _getActiveHandles?(): object[];
  _getActiveRequests?(): object[];
}

/** Of `running-tasks.ts`, which this module must not load. */
type RunningTasks = () => RunningTask[];

/** Loads a module of Node. */
export type Builtin = (id: string) => unknown;

/** What a thread is doing. The stack is that of whatever the inspector interrupted for the question. */
export function survey(builtin: Builtin): Survey {
  const MAX_FRAMES = 100;
  const v8 = builtin('v8') as typeof import('node:v8');
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const limit = Error.stackTraceLimit;
  let frames: RawFrame[] = [];
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.prepareStackTrace = (_error, calls) =>
      calls.map((call) => {
        const name = call.getFunctionName();
        // Of a method, as V8 shows it in the text of a stack.
        const type =
          name !== null && !name.includes('.') && !call.isToplevel() && !call.isNative() ? call.getTypeName() : null;
        const file = call.getFileName() ?? call.getEvalOrigin() ?? null;
        const called = type && type !== 'Object' ? `${type}.${name}` : name;
        return [call.isAsync() ? `async ${called ?? ''}` : called, file, call.getLineNumber(), call.getColumnNumber()];
      });
    const { stack } = new Error('where') as { stack?: unknown };
    if (Array.isArray(stack)) frames = stack as RawFrame[];
  } catch {
    // A program may have frozen `Error`: then the stack is not told.
  } finally {
    Error.stackTraceLimit = limit;
    if (prepare) Object.defineProperty(Error, 'prepareStackTrace', prepare);
    else delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
  }
  const { [Symbol.for('holdfast.hooks')]: hooks } = globalThis as unknown as Record<symbol, (() => string) | undefined>;
  const { [Symbol.for('holdfast.tasks')]: runningTasks } = globalThis as Record<symbol, RunningTasks | undefined>;
  const timing = performance.nodeTiming as PerformanceNodeTiming & { uvMetricsInfo?: { loopCount: number } };
  const small = /^(old|map|trusted|shared|read_only)_space$/;
  const spaces = v8.getHeapSpaceStatistics().filter(({ space_name: name }) => small.test(name));
  // Without what a supervisor of holdfast adds.
  const flags = process.execArgv.filter((flag) => flag !== '--inspect-publish-uid=http');
  return {
    pid: process.pid,
    node: process.version,
    command: [...flags, ...process.argv.slice(1)].join(' '),
    frames,
    heapUsed: v8.getHeapStatistics().used_heap_size,
    smallObjects: spaces.reduce((sum, space) => sum + space.space_used_size, 0),
    hooks: hooks?.(),
    // The clock of a worker counts from the start of the process, its timers from its own.
    now: performance.now() - performance.nodeTiming.environment,
    // Before 20.18, Node does not count turns.
    turn: `${timing.uvMetricsInfo?.loopCount} ${timing.idleTime}`,
    tasks: runningTasks?.().map(({ task }) => task) ?? null,
  };
}

/**
 * Writes the heap to a file, with or without its numbers. Nothing may be called
 * after that: a thread that is told to end while it writes would be taken for
 * one that was to end just this call, and never end.
 */
export function writeHeap(builtin: Builtin, path: string, exposeNumericValues: boolean): unknown {
  const v8 = builtin('v8') as { writeHeapSnapshot(path: string, options: object): string };
  return v8.writeHeapSnapshot(path, { exposeNumericValues });
}

/** By what the functions of running tasks are recognised. */
export function taskContexts(): object[] {
  const { [Symbol.for('holdfast.tasks')]: runningTasks } = globalThis as Record<symbol, RunningTasks | undefined>;
  return runningTasks?.().map(({ context }) => context) ?? [];
}

/** The handlers of running tasks. */
export function taskHandlers(): object[] {
  const { [Symbol.for('holdfast.tasks')]: runningTasks } = globalThis as Record<symbol, RunningTasks | undefined>;
  return runningTasks?.().map(({ handler }) => handler) ?? [];
}

/** The names of these handlers, in the same order; `''` for one whose task has ended. */
export function handlerNames(handlers: object[]): string[] {
  const { [Symbol.for('holdfast.tasks')]: runningTasks } = globalThis as Record<symbol, RunningTasks | undefined>;
  const running = runningTasks?.() ?? [];
  return handlers.map((handler) => running.find((one) => one.handler === handler)?.task.handler ?? '');
}

/** The tasks whose contexts these are; `null` for one that has ended. */
export function describeTasks(contexts: object[]): (TaskReference | null)[] {
  const { [Symbol.for('holdfast.tasks')]: runningTasks } = globalThis as Record<symbol, RunningTasks | undefined>;
  const running = runningTasks?.() ?? [];
  return contexts.map((context) => running.find((one) => one.context === context)?.task ?? null);
}

/** The objects behind what is open: their heap ids can be asked for. */
export function activeObjects(): object[] {
  const { _getActiveHandles: handles, _getActiveRequests: requests } = process as NodeProcess;
  return [...(handles?.call(process) ?? []), ...(requests?.call(process) ?? [])];
}

/** What those objects tell of themselves, in the same order; then timers and immediates, by number. */
export function describeActive(objects: object[]): RawHandle[] {
  interface Known {
    _handle?: { hasRef?(): boolean; fd?: number; path?: string };
    constructor?: { name?: string };
    hasRef?(): boolean;
    remoteAddress?: string;
    remotePort?: number;
    localAddress?: string;
    localPort?: number;
    address?(): unknown;
    pid?: number;
    spawnargs?: string[];
    threadId?: number;
    path?: unknown;
    fd?: number;
    _pipeName?: string;
    listening?: boolean;
  }
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  const endpoint = (address: unknown, port: unknown) =>
    typeof address === 'string' ? `${address.includes(':') ? `[${address}]` : address}:${String(port)}` : undefined;
  const described = objects.map((object): RawHandle => {
    const known = object as Known;
    const className = attempt(() => known.constructor?.name) ?? 'Object';
    const { _handle: handle, _pipeName: pipeName } = known;
    const told: Record<string, unknown> = {};
    const tell = (key: string, value: unknown, type: string) => {
      if (typeof value === type) told[key] = value;
    };
    attempt(() => tell('peer', endpoint(known.remoteAddress, known.remotePort), 'string'));
    attempt(() => tell('local', endpoint(known.localAddress, known.localPort), 'string'));
    attempt(() => {
      // Of servers and datagram sockets; sockets have an address as well, which is told above.
      const address = told['local'] === undefined && known.listening !== false ? known.address?.() : undefined;
      if (typeof address === 'string') tell('local', address, 'string');
      else if (address !== null && typeof address === 'object') {
        const { address: host, port } = address as { address?: string; port?: number };
        tell('local', endpoint(host, port), 'string');
      }
    });
    attempt(() => tell('local', pipeName, 'string'));
    attempt(() => tell('pid', known.pid, 'number'));
    attempt(() => tell('path', known.spawnargs?.join(' ').slice(0, 200), 'string'));
    attempt(() => tell('path', known.path, 'string'));
    attempt(() => tell('fd', known.fd ?? handle?.fd, 'number'));
    attempt(() => tell('threadId', known.threadId, 'number'));
    const hasRef = attempt(() => known.hasRef?.() ?? handle?.hasRef?.());
    return { className, count: 1, keepsAlive: hasRef !== false, ...told };
  });
  const counts = new Map<string, number>();
  for (const kind of attempt(() => process.getActiveResourcesInfo()) ?? [])
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const className of ['Timeout', 'Immediate']) {
    const count = counts.get(className);
    if (count !== undefined) described.push({ className, count, keepsAlive: true });
  }
  return described;
}

/** What all streams that write to files inherit from, also where a program has put a class of its own into its place. */
export function fileStreamPrototype(): object {
  const fs = process.getBuiltinModule('node:fs');
  const { Writable } = process.getBuiltinModule('node:stream');
  let found: object | null = fs.WriteStream.prototype;
  for (;;) {
    const above: object | null = found && (Object.getPrototypeOf(found) as object | null);
    if (found === null || above === Writable.prototype) break;
    found = above;
  }
  if (found === null) throw new Error('the WriteStream of node:fs is not that of Node');
  return found;
}

/** Those of these streams that may still have something to write, or that nobody has ended; not those to stdout and stderr. */
export function describeOpenStreams(streams: object[]): OpenStream[] {
  const fs = process.getBuiltinModule('node:fs');
  const isOpen = (stream: import('node:fs').WriteStream) =>
    // Not the prototypes of classes that extend it.
    Object.hasOwn(stream, '_writableState') && !stream.destroyed && !stream.closed && !stream.writableFinished;
  return streams.flatMap((object) => {
    try {
      const stream = object as import('node:fs').WriteStream & { fd?: number | null };
      const { fd, path } = stream;
      if (!isOpen(stream) || fd === 1 || fd === 2 || /^\/dev\/std(out|err)$/.test(String(path))) return [];
      // That of a `FileHandle` has no path.
      let known = path === undefined ? undefined : String(path);
      try {
        if (known === undefined) known = fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // Only Linux tells.
      }
      return [{ path: known ?? null, unwrittenBytes: stream.writableLength }];
    } catch {
      // One that a program has changed beyond recognition.
      return [];
    }
  });
}
