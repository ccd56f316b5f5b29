/**
 * What a look into a process finds: what `inspectProcess` and `inspectSelf`
 * give, `runtime inspect --json` prints, and dumps in NDJSON hold.
 * docs/inspection-format.md is the same for readers of other languages.
 *
 * Lines and columns count from 1. Places are those of the source, where a
 * source map tells; else those of the code that runs.
 */

/** Rises when a field changes its meaning or goes; a field that is added does not raise it. */
export const INSPECTION_SCHEMA = 1;

/** What an inspection of a process found. Plain data; lines and columns count from 1. */
export interface Inspection {
  schema: typeof INSPECTION_SCHEMA;
  /** ISO 8601, UTC. */
  takenAt: string;
  /** Milliseconds from the first question to the last answer. */
  tookMs: number;
  pid: number;
  /** Version of Node, as `process.version` has it. */
  node: string;
  /** Command line of the process. */
  command: string;
  /** The main thread first, then workers in the order of their start. */
  threads: ThreadInspection[];
  /** What could not be seen, and why: a sentence each. */
  notes: string[];
}

/** One thread of an inspected process. */
export interface ThreadInspection {
  /** As `worker_threads.threadId` has it; 0: the main thread. */
  threadId: number;
  /** `main`, or the name of the worker. */
  name: string;
  /**
   * `running`: JavaScript runs, see `stack`. `waiting`: in the event loop, for something to happen.
   * `blocked`: in native code; it answers nothing until that returns.
   */
  state: 'running' | 'waiting' | 'blocked';
  /** What runs, the innermost first; empty unless `running`. */
  stack: Frame[];
  /** Of a blocked thread: in what, as far as the system says. */
  blockedIn?: string;
  /** Bytes of JavaScript objects; `null` where the thread did not answer. */
  heapUsed: number | null;
  /** Of the walk through the heap, in ms. `measuredMs` is `null` where none was done. */
  pause: { predictedMs: number | null; measuredMs: number | null };
  /** Whether the heap was walked through. If not, there are no awaits, and `notes` says why. */
  view: 'whole' | 'cheap';
  /** Suspended functions; those that nobody awaits on top. */
  awaits: AwaitBranch[];
  /** How many suspended functions there are, in all; `null`: its heap was not walked through. */
  suspended: number | null;
  /** How many of them are not shown, being internals of Node or of holdfast. */
  hidden: number;
  /** What keeps the thread alive, or would. */
  handles: Handle[];
  /** Streams that write to files and are not closed; only where it was asked for, and the heap walked through. */
  openStreams?: OpenStream[];
  /** The tasks that run there, whether they wait or compute; only in threads of holdfast. */
  tasks?: TaskReference[];
  /** Who made what lives in it; only with `ASYNC_DEBUG=hooks`. */
  hooks?: HooksSnapshot;
  /** What could not be seen of it, and why: a sentence each. */
  notes: string[];
}

/** A place in the source where a source map names it, else in the code that runs. */
export interface Place {
  /** Absolute path; of what is no file, its URL (`node:internal/…`, `evalmachine.<anonymous>`). */
  file: string;
  line: number;
  column: number;
}

/** A function on a stack. */
export interface Frame {
  /** `''` for a function without a name. */
  name: string;
  place: Place | null;
}

/** By what a function waits for what is below it, besides a plain `await`. */
export type Step = 'Promise.all' | 'Promise.allSettled' | 'Promise.any' | 'Promise.race' | 'then' | 'adopted';

/** Suspended functions that are alike: the same function, reached in the same way, with the like below them. */
export interface AwaitBranch {
  /** `''` for a function without a name. */
  name: string;
  /** How many they are. */
  count: number;
  /** Where the `await` is; of several alike, that of one. `null` where it was not asked for, or is not known. */
  at: Place | null;
  /** Where the function is written. */
  definedAt: Place | null;
  /** Steps from what is above to this, from above to below; empty: it is awaited as it is. */
  via: Step[];
  /** The tasks that these functions run, the oldest first; only on top, and only in threads of holdfast. */
  tasks?: TaskReference[];
  /**
   * Suspended functions that are left out between this and its children: a function that awaits itself, over and over,
   * or what is more than 100 levels down.
   */
  omitted?: number;
  /** Suspended functions that it waits for. */
  children: AwaitBranch[];
  /** What it waits for that is no suspended function. */
  leaves: Leaf[];
  /** Whether it waits, in the end, for itself. */
  circular: boolean;
}

/** A task of holdfast that runs in an inspected thread. */
export interface TaskReference {
  id: string;
  handler: string;
  /** From 1. */
  attempt: number;
  /** Milliseconds since this attempt began. */
  ageMs: number;
}

/** The kinds of what the end of a chain waits for. */
export type LeafKind =
  | 'timer'
  | 'immediate'
  | 'socket'
  | 'server'
  | 'http request'
  | 'file operation'
  | 'name lookup'
  | 'child process'
  | 'worker thread'
  | 'message port'
  | 'lock'
  | 'stream'
  | 'event'
  | 'promise'
  /** Nothing: what was waited for is settled, and the queue of microtasks, or the job that runs now, goes on from there. */
  | 'microtask'
  /** Whoever called `inspectSelf` waits for its answer. */
  | 'this look';

/** What the end of a chain waits for. Fields are there where they are known. */
export interface Leaf {
  kind: LeafKind;
  count: number;
  via: Step[];
  /** All of what is known as a phrase: `timer, due in 12.3 s`; `socket to 127.0.0.1:5432`. */
  what: string;
  /** Class of the object that is waited for. */
  className?: string;
  /** Of a timer: milliseconds until it is due; of several, the first. Below 0: overdue. */
  dueInMs?: number;
  /** Of a socket: `address:port`, or a path. */
  peer?: string;
  /** Its own address, where known. */
  local?: string;
  /** Of a file operation, where known. */
  path?: string;
  /** Of a child process. */
  pid?: number;
  /** Of a worker thread. */
  threadId?: number;
  /** Of an emitter: the event that is waited for. */
  event?: string;
  /** Of an HTTP request: its method and URL, without the query; of several to the same origin, that of one. */
  url?: string;
  /** Of a bare promise: the variable or property that holds its resolver, or leads there… */
  heldAs?: string;
  /** …the class of the object that has it… */
  heldBy?: string;
  /** …or the place of the function. */
  heldAt?: Place;
}

/** An open handle, or several that are alike. */
export interface Handle {
  /** `timer`, `socket`, `server`, `file operation`, `child process`, `worker thread`, `message port`, or the name of its class. */
  kind: string;
  count: number;
  /** As a phrase: `server on 127.0.0.1:8080`. */
  what: string;
  /** Whether it keeps the event loop alive. */
  keepsAlive: boolean;
}

/** A stream that writes to a file, of `node:fs`, and has been neither closed nor destroyed. */
export interface OpenStream {
  /** As the program gave it; `null`: it is not known. */
  path: string | null;
  /** Bytes that it holds, as far as its thread has heard what became of them. */
  unwrittenBytes: number;
}

/** What lives in a thread, and who made it; with what could not be kept. Plain data: it travels as JSON. */
export interface HooksSnapshot {
  /** Resources that live now and are followed. */
  live: number;
  /** Creations since the start. */
  recorded: number;
  /** Of these, how many are not followed, as there was no room. */
  dropped: number;
  /** A stack was taken of one creation in so many, since the start; at least 1. */
  sampledOneIn: number;
  /** Those that have lived longest on top, the lives of all at a site together; at most 50. */
  sites: CreationSite[];
  /** Live resources of the sites that are left out. */
  untold: number;
}

/** Where living resources were made. */
export interface CreationSite {
  /** As async_hooks has it: `PROMISE`, `Timeout`, `TCPWRAP` … */
  type: string;
  /**
   * The innermost first, at most 10. Empty: made inside Node or holdfast.
   * `null`: no stack was taken, or there was no room for it.
   */
  stack: Frame[] | null;
  /** How many live. */
  count: number;
  /** Milliseconds since the oldest of them was made. */
  oldestAgeMs: number;
}
