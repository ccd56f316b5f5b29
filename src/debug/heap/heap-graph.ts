import type { SnapshotTables } from './snapshot-file.js';

/** Where a function is written. Lines and columns count from 0. */
export interface CodePlace {
  scriptId: number;
  line: number;
  column: number;
}

/** A reference from one object to another. */
export interface Reference {
  /** Number of the object at the other end. */
  node: number;
  /** As V8 names it: `context` (a variable), `property`, `element`, `internal`, `hidden`, `shortcut`, `weak`. */
  kind: string;
  /** Of a variable, a property or an internal field; of an element its index, as text. */
  name: string;
}

/** The objects of a heap and what refers to what. Objects are numbered from 0, in the order of the snapshot. */
export class HeapGraph {
  /** How many objects there are. */
  readonly size: number;
  readonly #tables: SnapshotTables;
  readonly #nodeColumns: number;
  readonly #edgeColumns: number;
  readonly #nameColumn: number;
  readonly #typeColumn: number;
  readonly #idColumn: number;
  readonly #kinds: readonly string[];
  readonly #edgeKinds: readonly string[];
  /** Kinds of references whose name is a number. */
  readonly #numbered: ReadonlySet<number>;
  /** Of each object the row of its first reference; one more at the end. */
  readonly #firstEdge: Uint32Array;
  readonly #stringNumbers = new Map<string, number>();
  #retainers: { first: Uint32Array; edges: Uint32Array } | undefined;
  #places: Map<number, CodePlace> | undefined;

  constructor(tables: SnapshotTables) {
    const { meta, nodes } = tables;
    this.#tables = tables;
    this.#nodeColumns = meta.node_fields.length;
    this.#edgeColumns = meta.edge_fields.length;
    this.#nameColumn = meta.node_fields.indexOf('name');
    this.#typeColumn = meta.node_fields.indexOf('type');
    this.#idColumn = meta.node_fields.indexOf('id');
    this.#kinds = meta.node_types[0];
    this.#edgeKinds = meta.edge_types[0];
    this.#numbered = new Set(['element', 'hidden'].map((kind) => this.#edgeKinds.indexOf(kind)));
    this.size = nodes.length / this.#nodeColumns;
    const edgeCount = meta.node_fields.indexOf('edge_count');
    this.#firstEdge = new Uint32Array(this.size + 1);
    for (let node = 0; node < this.size; node++) {
      this.#firstEdge[node + 1] = this.#firstEdge[node]! + nodes[node * this.#nodeColumns + edgeCount]!;
    }
  }

  /** Of its class, its function, or its text. */
  name(node: number): string {
    return this.#tables.strings[this.#tables.nodes[node * this.#nodeColumns + this.#nameColumn]!]!;
  }

  /** As V8 names it: `object`, `closure`, `array`, `string`, `hidden`, `code`, `native` … */
  kind(node: number): string {
    return this.#kinds[this.#tables.nodes[node * this.#nodeColumns + this.#typeColumn]!]!;
  }

  /** By which the inspector knows the object, for as long as the process lives. */
  id(node: number): number {
    return this.#tables.nodes[node * this.#nodeColumns + this.#idColumn]!;
  }

  /** The number that an object stands for; only snapshots with `exposeNumericValues` have such. */
  number(node: number): number | undefined {
    const text = this.kind(node) === 'number' ? this.target(node, 'internal', 'value') : undefined;
    return text === undefined ? undefined : Number(this.name(text));
  }

  /** All objects of that kind and name. */
  *named(kind: string, name: string): Generator<number> {
    const { nodes } = this.#tables;
    const [wantedKind, wantedName] = [this.#kinds.indexOf(kind), this.#stringNumber(name)];
    if (wantedName === -1) return;
    for (let node = 0, row = 0; node < this.size; node++, row += this.#nodeColumns) {
      if (nodes[row + this.#nameColumn] === wantedName && nodes[row + this.#typeColumn] === wantedKind) yield node;
    }
  }

  references(node: number): Reference[] {
    const found: Reference[] = [];
    for (let edge = this.#firstEdge[node]!; edge < this.#firstEdge[node + 1]!; edge++)
      found.push(this.#reference(edge));
    return found;
  }

  /** The object that a reference of that kind and name leads to. */
  target(node: number, kind: string, name: string): number | undefined {
    const { edges } = this.#tables;
    const [wantedKind, wantedName] = [this.#edgeKinds.indexOf(kind), this.#stringNumber(name)];
    for (let edge = this.#firstEdge[node]!; edge < this.#firstEdge[node + 1]!; edge++) {
      const row = edge * this.#edgeColumns;
      if (edges[row] === wantedKind && edges[row + 1] === wantedName) return edges[row + 2]! / this.#nodeColumns;
    }
    return undefined;
  }

  /** What refers to an object: `node` is the one at the near end. Weak references are left out. */
  retainers(node: number): Reference[] {
    this.#retainers ??= this.#findRetainers();
    const { first, edges } = this.#retainers;
    const found: Reference[] = [];
    for (let at = first[node]!; at < first[node + 1]!; at++) {
      const edge = edges[at]!;
      found.push({ ...this.#reference(edge), node: this.#ownerOf(edge) });
    }
    return found;
  }

  /** How many references `retainers` would give. */
  retainerCount(node: number): number {
    this.#retainers ??= this.#findRetainers();
    return this.#retainers.first[node + 1]! - this.#retainers.first[node]!;
  }

  /** Where a function, or that of a suspended one, is written. */
  place(node: number): CodePlace | undefined {
    this.#places ??= this.#findPlaces();
    return this.#places.get(node);
  }

  #reference(edge: number): Reference {
    const { edges, strings } = this.#tables;
    const row = edge * this.#edgeColumns;
    const [kind, name] = [edges[row]!, edges[row + 1]!];
    return {
      node: edges[row + 2]! / this.#nodeColumns,
      kind: this.#edgeKinds[kind]!,
      name: this.#numbered.has(kind) ? String(name) : strings[name]!,
    };
  }

  /** Texts are in the table once; -1 for one that is not. */
  #stringNumber(text: string): number {
    let number = this.#stringNumbers.get(text);
    if (number === undefined) this.#stringNumbers.set(text, (number = this.#tables.strings.indexOf(text)));
    return number;
  }

  /** Whose reference it is: the last object that begins at it or before. */
  #ownerOf(edge: number): number {
    let [low, high] = [0, this.size - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#firstEdge[middle]! <= edge) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #findRetainers(): { first: Uint32Array; edges: Uint32Array } {
    const { edges } = this.#tables;
    const weak = this.#edgeKinds.indexOf('weak');
    const count = edges.length / this.#edgeColumns;
    const first = new Uint32Array(this.size + 1);
    const each = (visit: (target: number, edge: number) => void) => {
      for (let edge = 0, row = 0; edge < count; edge++, row += this.#edgeColumns) {
        if (edges[row] !== weak) visit(edges[row + 2]! / this.#nodeColumns, edge);
      }
    };
    each((target) => first[target + 1]!++);
    for (let node = 0; node < this.size; node++) first[node + 1]! += first[node]!;
    const next = first.slice();
    const found = new Uint32Array(first[this.size]!);
    each((target, edge) => (found[next[target]!++] = edge));
    return { first, edges: found };
  }

  #findPlaces(): Map<number, CodePlace> {
    const { meta, locations } = this.#tables;
    const columns = meta.location_fields.length;
    const places = new Map<number, CodePlace>();
    for (let row = 0; row < locations.length; row += columns) {
      const [object, scriptId, line, column] = locations.subarray(row, row + 4) as unknown as number[];
      places.set(object! / this.#nodeColumns, { scriptId: scriptId!, line: line!, column: column! });
    }
    return places;
  }
}
