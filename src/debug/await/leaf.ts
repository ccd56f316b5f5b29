import type { HeapGraph, Reference } from '../heap/heap-graph.js';
import type { LeafKind } from '../inspection.js';
import type { HeapLeaf } from './findings.js';

/** What a promise waits for that no suspended function settles. */
export interface FoundLeaf extends Omit<HeapLeaf, 'count' | 'via' | 'objects'> {
  /** The object that will settle it; of a bare promise, the one that holds its resolver. */
  object: number | undefined;
  /** Leaves that are alike have the same. */
  key: string;
}

type Leaf = Omit<FoundLeaf, 'key'>;

/** Finds out what promises wait for, each once. */
export class LeafFinder {
  readonly #graph: HeapGraph;
  readonly #suspended: (node: number) => boolean;
  readonly #found = new Map<number, FoundLeaf>();

  constructor(graph: HeapGraph, suspended: (node: number) => boolean) {
    this.#graph = graph;
    this.#suspended = suspended;
  }

  of(promise: number): FoundLeaf {
    let found = this.#found.get(promise);
    if (found === undefined) {
      const leaf = leafOf(this.#graph, promise, this.#suspended);
      this.#found.set(promise, (found = { ...leaf, key: keyOf(leaf) }));
    }
    return found;
  }
}

function keyOf({ kind, className, event, heldAs, heldBy, heldAt }: Leaf): string {
  const place = heldAt && [heldAt.scriptId, heldAt.line, heldAt.column].join(':');
  return JSON.stringify([kind, className, event, heldAs, heldBy, place]);
}

/** What things are, by the name of their class; the first that fits. */
const KINDS: readonly [RegExp, LeafKind][] = [
  [/^Timeout$/, 'timer'],
  [/^Immediate$/, 'immediate'],
  [/^(GetAddrInfo|GetNameInfo|Query)ReqWrap$/, 'name lookup'],
  [/^(FSReq\w+|FileHandle|FSEvent|StatWatcher)$/, 'file operation'],
  [/^(ChildProcess|Process)$/, 'child process'],
  [/^Worker$/, 'worker thread'],
  [/^(MessagePort|BroadcastChannel)$/, 'message port'],
  [/^ClientRequest$/, 'http request'],
  [/^(Socket|TLSSocket|TCP|Pipe|TTY|UDP|TLSWrap|JSStreamSocket|\w+ConnectWrap|WriteWrap|ShutdownWrap)$/, 'socket'],
  [/^\w*Server$/, 'server'],
  [/^((File)?(Read|Write)Stream|Readable|Writable|Duplex|Transform|PassThrough|Interface|IncomingMessage)$/, 'stream'],
];

/** References that tell nothing of who will settle a promise. */
const NO_WAY = new Set(['map', '__proto__', 'scope_info', 'feedback_cell', 'shared']);

/** So far away, and after so many objects, whoever is found has little to do with it. */
const MAX_STEPS = 14;
const MAX_VISITED = 5_000;

/** A way from a promise to what holds it: the last step first. */
interface Way {
  node: number;
  reference: Reference;
  before: Way | undefined;
}

/**
 * Finds out what settles a promise: from the functions that do so, back along
 * what refers to them, to the first thing that is known to wait for the outside.
 *
 * @param suspended whether an object is a suspended function: those wait for the promise, and will not settle it
 */
function leafOf(graph: HeapGraph, promise: number, suspended: (node: number) => boolean): Leaf {
  const seen = new Set([promise]);
  let level: { node: number; way: Way | undefined }[] = [{ node: promise, way: undefined }];
  let holder: Way | undefined;
  for (let step = 0; step < MAX_STEPS && level.length > 0 && seen.size < MAX_VISITED; step++) {
    const next: typeof level = [];
    for (const { node, way } of level) {
      for (const reference of graph.retainers(node)) {
        const from = reference.node;
        if (seen.has(from) || NO_WAY.has(reference.name) || suspended(from) || graph.kind(from) === 'synthetic')
          continue;
        seen.add(from);
        const longer: Way = { node: from, reference, before: way };
        const known = knownThing(graph, longer);
        if (known !== undefined) return known;
        if (holder === undefined && isNamed(longer)) holder = longer;
        next.push({ node: from, way: longer });
      }
    }
    level = next;
  }
  return bare(graph, holder);
}

function knownThing(graph: HeapGraph, way: Way): Leaf | undefined {
  const { node, reference, before } = way;
  if (graph.kind(node) !== 'object') return undefined;
  const className = graph.name(node);
  const kind = KINDS.find(([name]) => name.test(className))?.[1];
  // The listeners of an emitter hang on an object with a property for each event.
  const event = reference.name === '_events' ? before?.reference.name : undefined;
  if (kind === undefined && event === undefined) return undefined;
  const timer = kind === 'timer' ? timerOf(graph, node) : undefined;
  return {
    kind: kind ?? 'event',
    object: node,
    className,
    ...(event !== undefined && { event }),
    ...(timer !== undefined && { timer }),
  };
}

function timerOf(graph: HeapGraph, node: number): HeapLeaf['timer'] {
  const [startedAt, afterMs] = ['_idleStart', '_idleTimeout'].map((name) => numberAt(graph, node, name));
  return startedAt === undefined || afterMs === undefined ? undefined : { startedAt, afterMs };
}

/** A number that a property holds, where the snapshot tells. */
function numberAt(graph: HeapGraph, node: number, property: string): number | undefined {
  const value = graph.target(node, 'property', property);
  if (value === undefined) return undefined;
  return graph.number(value);
}

/** Whether the step has a name that the program gave it. */
function isNamed({ reference }: Way): boolean {
  return reference.kind === 'property' || reference.kind === 'context';
}

function bare(graph: HeapGraph, holder: Way | undefined): Leaf {
  if (holder === undefined) return { kind: 'promise', object: undefined, className: '' };
  const { node, reference } = holder;
  return {
    kind: 'promise',
    object: node,
    className: graph.name(node),
    heldAs: reference.name,
    ...(graph.place(node) !== undefined && { heldAt: graph.place(node)! }),
  };
}
