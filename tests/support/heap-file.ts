/** Heap snapshots made by hand, as V8 writes them. */
import { writeFileSync } from 'node:fs';

export interface HeapObject {
  kind: string;
  name: string;
  /** To objects by their position. */
  references?: { kind: string; name: string | number; to: number }[];
  place?: { scriptId: number; line: number; column: number };
}

const NODE_FIELDS = ['type', 'name', 'id', 'self_size', 'edge_count', 'trace_node_id', 'detachedness'];
const NODE_KINDS = [
  'hidden',
  'array',
  'string',
  'object',
  'code',
  'closure',
  'regexp',
  'number',
  'native',
  'synthetic',
  'concatenated string',
];
const EDGE_KINDS = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];

/** Its objects have the ids 1, 3, 5 … */
export function writeHeapFile(path: string, objects: readonly HeapObject[]): void {
  const strings: string[] = [];
  const stringOf = (text: string): number => {
    const known = strings.indexOf(text);
    return known === -1 ? strings.push(text) - 1 : known;
  };
  const all = objects.map((object) => object.references ?? []);
  const nodes = objects.map(({ kind, name }, index) =>
    [NODE_KINDS.indexOf(kind), stringOf(name), index * 2 + 1, 16, all[index]!.length, 0, 0].join(),
  );
  const edges = all
    .flat()
    .map(({ kind, name, to }) =>
      [EDGE_KINDS.indexOf(kind), typeof name === 'number' ? name : stringOf(name), to * NODE_FIELDS.length].join(),
    );
  const locations = objects.flatMap(({ place }, index) =>
    place === undefined ? [] : [[index * NODE_FIELDS.length, place.scriptId, place.line, place.column].join()],
  );
  const snapshot = {
    meta: {
      node_fields: NODE_FIELDS,
      node_types: [NODE_KINDS, 'string', 'number', 'number', 'number', 'number', 'number'],
      edge_fields: ['type', 'name_or_index', 'to_node'],
      edge_types: [EDGE_KINDS, 'string_or_number', 'node'],
      location_fields: ['object_index', 'script_id', 'line', 'column'],
    },
    node_count: nodes.length,
    edge_count: edges.length,
  };
  writeFileSync(
    path,
    `{"snapshot":${JSON.stringify(snapshot)},\n"nodes":[${nodes.join('\n,')}],\n"edges":[${edges.join('\n,')}],\n` +
      `"trace_function_infos":[],"trace_tree":[],"samples":[],\n"locations":[${locations.join('\n,')}],\n"strings":${JSON.stringify(strings)}}`,
  );
}
