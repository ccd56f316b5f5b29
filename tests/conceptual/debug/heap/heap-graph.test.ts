import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeapGraph } from '../../../../dist/debug/heap/heap-graph.js';
import { readSnapshotFile } from '../../../../dist/debug/heap/snapshot-file.js';
import { writeHeapFile, type HeapObject } from '../../../support/heap-file.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

const heaps = fc.integer({ min: 1, max: 30 }).chain((size) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom('object', 'closure', 'string', 'array'),
      name: fc.constantFrom('Promise', 'Socket', 'a "quoted" name', 'Zoë\n'),
      references: fc.array(
        fc.oneof(
          fc.record({
            kind: fc.constantFrom('property', 'internal', 'context', 'weak'),
            name: fc.constantFrom('left', 'right'),
            to: fc.integer({ min: 0, max: size - 1 }),
          }),
          fc.record({
            kind: fc.constantFrom('element', 'hidden'),
            name: fc.integer({ min: 0, max: 2 ** 31 }),
            to: fc.integer({ min: 0, max: size - 1 }),
          }),
        ),
        { maxLength: 8 },
      ),
    }),
    { minLength: size, maxLength: size },
  ),
);

/** Bytes that the reader takes at once. */
const CHUNK = 4 * 2 ** 20;

describe('a heap snapshot that is read', () => {
  const dir = () => join(tempDir(), 'made.heapsnapshot');

  test('has the objects and references that were written, to and fro', () => {
    const path = dir();
    fc.assert(
      fc.property(heaps, (objects: HeapObject[]) => {
        writeHeapFile(path, objects);
        const graph = new HeapGraph(readSnapshotFile(path));
        expect(graph.size).toBe(objects.length);
        const back = objects.map((): object[] => []);
        objects.forEach(({ kind, name, references = [] }, node) => {
          expect([graph.kind(node), graph.name(node), graph.id(node)]).toEqual([kind, name, node * 2 + 1]);
          const found = graph.references(node);
          expect(found).toEqual(references.map(({ kind, name, to }) => ({ node: to, kind, name: String(name) })));
          for (const { kind, name, to } of references) {
            if (kind !== 'weak') back[to]!.push({ node, kind, name: String(name) });
          }
          for (const name of ['left', 'right', 'nowhere']) {
            expect(graph.target(node, 'property', name)).toBe(
              references.find((reference) => reference.kind === 'property' && reference.name === name)?.to,
            );
          }
        });
        back.forEach((expected, node) => {
          expect(graph.retainers(node)).toEqual(expected);
          expect(graph.retainerCount(node)).toBe(expected.length);
        });
        const sockets = objects.flatMap(({ kind, name }, node) =>
          kind === 'object' && name === 'Socket' ? [node] : [],
        );
        expect([...graph.named('object', 'Socket')]).toEqual(sockets);
        expect([...graph.named('object', 'no such name')]).toEqual([]);
      }),
      { numRuns: runs(60) },
    );
  });

  test('tells where functions are written, and which number an object stands for', () => {
    const path = dir();
    writeHeapFile(path, [
      { kind: 'closure', name: 'f', place: { scriptId: 7, line: 3, column: 0 } },
      { kind: 'number', name: 'heap number', references: [{ kind: 'internal', name: 'value', to: 2 }] },
      { kind: 'string', name: '-1.5e+21' },
      { kind: 'number', name: 'smi number' },
    ]);
    const graph = new HeapGraph(readSnapshotFile(path));
    expect([graph.place(0), graph.place(1)]).toEqual([{ scriptId: 7, line: 3, column: 0 }, undefined]);
    expect([0, 1, 2, 3].map((node) => graph.number(node))).toEqual([undefined, -1.5e21, undefined, undefined]);
  });

  test('is the same wherever the pieces end in which it is read', () => {
    const path = dir();
    const objects: HeapObject[] = [
      { kind: 'object', name: 'first' },
      { kind: 'object', name: 'last' },
    ];
    writeHeapFile(path, objects);
    const text = readFileSync(path, 'utf8');
    const gap = text.indexOf('"nodes":[') + '"nodes":['.length;
    // Blanks between numbers move what follows them over the end of the first piece.
    for (const mark of ['16,0,0,0', '"edges":[', '"locations":[', '"strings":', '"last"']) {
      for (const before of [0, 3, mark.length]) {
        const blanks = ' '.repeat(CHUNK - text.indexOf(mark) - before);
        writeFileSync(path, `${text.slice(0, gap)}${blanks}${text.slice(gap)}`);
        const graph = new HeapGraph(readSnapshotFile(path));
        expect([graph.size, graph.id(1), graph.name(0), graph.name(1)]).toEqual([2, 3, 'first', 'last']);
      }
    }
  });

  test('is refused when it is cut off, wherever, and when it is something else', () => {
    const path = dir();
    writeHeapFile(path, [
      {
        kind: 'object',
        name: 'one',
        references: [{ kind: 'element', name: 1, to: 1 }],
        place: { scriptId: 1, line: 2, column: 3 },
      },
      { kind: 'object', name: 'two' },
    ]);
    const whole = readFileSync(path);
    // But for the last bracket, behind which nothing comes.
    for (let length = 0; length < whole.length - 1; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => readSnapshotFile(path), `${length} bytes`).toThrow();
    }
    writeFileSync(path, String(whole).replace('"node_count":2', '"node_count":1'));
    expect(() => readSnapshotFile(path)).toThrow();
    writeFileSync(path, String(whole).replace('"node_count":2', '"node_count":3'));
    expect(() => readSnapshotFile(path)).toThrow('does not hold what it says');
    writeFileSync(path, '{}');
    expect(() => readSnapshotFile(path)).toThrow('cut off before "nodes":[');
    writeFileSync(path, 'x'.repeat(2 ** 21));
    expect(() => readSnapshotFile(path)).toThrow('this is not a heap snapshot');
    expect(() => readSnapshotFile(`${path}.none`)).toThrow('ENOENT');
  });

  test('is that of V8, to the last object', () => {
    const path = dir();
    writeHeapSnapshot(path);
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as {
      snapshot: { node_count: number };
      nodes: number[];
      edges: number[];
      locations: number[];
      strings: string[];
    };
    const tables = readSnapshotFile(path);
    for (const table of ['nodes', 'edges', 'locations', 'strings'] as const) {
      expect(tables[table].length, table).toBe(parsed[table].length);
      const unlike = parsed[table].findIndex((value, index) => tables[table][index] !== value);
      expect(unlike, table).toBe(-1);
    }
    truncateSync(path, statSync(path).size - 3);
    expect(() => readSnapshotFile(path)).toThrow();
  });
});
