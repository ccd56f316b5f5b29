import type { CodePlace, HeapGraph } from '../../heap/heap-graph.js';
import { isModule } from '../module-links.js';

/**
 * Functions of Node that wait for what they hold themselves, in a variable
 * that nothing but the listeners beside it can see.
 */
const OF_NODE: ReadonlySet<string> = new Set(['createAsyncIterator', 'setInterval', 'watch']);

/** A function at the top of a script is told from the script by how many variables it has. */
const MAX_OUTERMOST = 6;

/**
 * The variables of a function that was called, as V8 keeps those that inner
 * functions can see: in a context, to which all functions refer that were made
 * in it, whichever of its variables they use.
 */
export class Variables {
  readonly #heap: HeapGraph;
  /** Contexts of suspended functions, and those around them. */
  readonly #ofSuspended = new Set<number>();
  readonly #places = new Map<number, CodePlace | undefined>();

  constructor(heap: HeapGraph, suspended: Iterable<number>) {
    this.#heap = heap;
    for (const one of suspended) {
      const fn = heap.target(one, 'internal', 'function');
      if (fn === undefined || OF_NODE.has(heap.name(fn))) continue;
      let context = heap.target(one, 'internal', 'context');
      while (context !== undefined && !this.#ofSuspended.has(context)) {
        this.#ofSuspended.add(context);
        context = heap.target(context, 'internal', 'previous');
      }
    }
  }

  /**
   * Whether the functions that see these variables tell who uses one of them.
   * Not so where a module, a script, or a function that still goes on has
   * them: what is made there need have nothing to do with one another.
   */
  tellWhoUsesThem(context: number): boolean {
    if (this.#heap.name(context) !== 'system / Context') return false;
    if (this.#ofSuspended.has(context) || this.#isOfModule(context)) return false;
    const around = this.#heap.target(context, 'internal', 'previous');
    const isOutermost = around === undefined || this.#heap.name(around) !== 'system / Context';
    return !isOutermost || this.#heap.references(context).length <= MAX_OUTERMOST;
  }

  /** Where the function is written whose variables these are; that around it, if it is gone. */
  place(context: number): CodePlace | undefined {
    if (!this.#places.has(context)) this.#places.set(context, this.#findPlace(context));
    return this.#places.get(context);
  }

  #findPlace(context: number): CodePlace | undefined {
    for (let at: number | undefined = context; at !== undefined; at = this.#heap.target(at, 'internal', 'previous')) {
      const code = this.#codeOf(at);
      const place = code === undefined ? undefined : this.#firstPlace(code);
      if (place !== undefined) return place;
    }
    // Of a CommonJS module the function is gone: what was made in it tells which script that is.
    const made = this.#firstPlace(context);
    return made && { ...made, line: 0, column: 0 };
  }

  /** Where one of those is written that refer to something. */
  #firstPlace(node: number): CodePlace | undefined {
    for (const { node: closure } of this.#heap.retainers(node)) {
      const place = this.#heap.place(closure);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** What V8 keeps once for all closures of a function. Blocks have variables, too, but are no functions. */
  #codeOf(context: number): number | undefined {
    const scope = this.#heap.target(context, 'internal', 'scope_info');
    if (scope === undefined) return undefined;
    return this.#heap.retainers(scope).find(({ name }) => name === 'name_or_scope_info')?.node;
  }

  #isOfModule(context: number): boolean {
    const extension = this.#heap.target(context, 'internal', 'extension');
    return extension !== undefined && isModule(this.#heap, extension);
  }
}
