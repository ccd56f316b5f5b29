import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseHeap } from '../../../../dist/debug/await/analyse-heap.js';
import type { HeapBranch, HeapFindings } from '../../../../dist/debug/await/findings.js';
import { writeHeapFile } from '../../../support/heap-file.js';
import { MadeHeap } from '../../../support/made-awaits.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

function analysed(heap: MadeHeap, path = join(tempDir(), 'made.heapsnapshot')): HeapFindings {
  writeHeapFile(path, heap.objects);
  return analyseHeap(path);
}

/** A branch as text, those below it in brackets; without how many there are. */
function shapeOf({ name, children, circular }: HeapBranch): string {
  return `${name}${circular ? '~' : ''}(${children.map(shapeOf).sort().join(' ')})`;
}

/** Each function has one of three names, and waits for some of those with a higher number, all at once. */
const programs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(
    fc.record({ name: fc.constantFrom('a', 'b', 'c'), waitsFor: fc.uniqueArray(fc.nat(size - 1), { maxLength: 3 }) }),
    {
      minLength: size,
      maxLength: size,
    },
  ),
);

/** Two that are alike, though what they wait for was made in another order. */
const inOtherOrder = [[2, 3], [4, 5], [], [], [], []].map((waitsFor, index) => ({ name: 'aabccb'[index]!, waitsFor }));

type Program = { name: string; waitsFor: number[] }[];

function heapOf(program: Program): MadeHeap {
  const heap = new MadeHeap();
  const made = program.map(({ name }) => heap.suspended(name, name.charCodeAt(0)));
  program.forEach(({ waitsFor }, index) => {
    const all = heap.promise();
    heap.awaits(made[index]!.generator, all);
    for (const other of waitsFor) {
      const context = heap.add('object', 'system / Context');
      heap.refer(context, 'hidden', 1, all);
      heap.react(made[other]!.promise, heap.builtin('PromiseAllResolveElementClosure', context), heap.promise());
    }
  });
  return heap;
}

describe('an await tree', () => {
  test('has each function below all that wait for it, and like ones once, with their number', () => {
    const path = join(tempDir(), 'made.heapsnapshot');
    fc.assert(
      fc.property(programs, (drawn) => {
        const program = drawn.map(({ name, waitsFor }, index) => ({
          name,
          waitsFor: waitsFor.filter((other) => other > index),
        }));
        const shape = (index: number): string => {
          const below = new Set(program[index]!.waitsFor.map(shape));
          return `${program[index]!.name}(${[...below].sort().join(' ')})`;
        };
        const tops = program
          .map((_, index) => index)
          .filter((index) => !program.some(({ waitsFor }) => waitsFor.includes(index)));
        const expected = new Map<string, number>();
        for (const top of tops) expected.set(shape(top), (expected.get(shape(top)) ?? 0) + 1);

        const { branches, suspended } = analysed(heapOf(program), path);
        // Of those that wait for themselves the middle is left out; that is no matter here.
        fc.pre(!JSON.stringify(branches).includes('omitted'));
        expect(suspended).toBe(program.length);
        expect(new Map(branches.map((branch) => [shapeOf(branch), branch.count]))).toEqual(expected);
        for (const { count, sample } of branches) expect([count >= 1, sample % 2]).toEqual([true, 1]);
      }),
      { numRuns: runs(150), examples: [[inOtherOrder]] },
    );
  });

  test('ends, and holds all functions, also where they wait for each other in circles', () => {
    const path = join(tempDir(), 'made.heapsnapshot');
    fc.assert(
      fc.property(programs, (program) => {
        const { branches } = analysed(heapOf(program), path);
        const names = new Set<string>();
        const waiting = [...branches];
        while (waiting.length > 0) {
          const { name, children } = waiting.pop()!;
          names.add(name);
          waiting.push(...children);
        }
        expect(names).toEqual(new Set(program.map(({ name }) => name)));
      }),
      { numRuns: runs(150) },
    );
  });

  test('tells of a circle that it is one, where it closes', () => {
    const heap = new MadeHeap();
    const [one, two, three] = ['one', 'two', 'three'].map((name, line) => heap.suspended(name, line));
    heap.awaits(one!.generator, two!.promise);
    heap.awaits(two!.generator, three!.promise);
    heap.awaits(three!.generator, one!.promise);
    const self = heap.suspended('self', 9);
    heap.awaits(self.generator, self.promise);
    expect(analysed(heap).branches.map(shapeOf)).toEqual(['one(two(three~()))', 'self~()']);
  });

  test('has the tasks of holdfast on top, not below what carries them there', () => {
    const heap = new MadeHeap();
    const carrier = heap.suspended('run', 1);
    for (let task = 0; task < 3; task++) {
      const settle = heap.suspended('#settle', 2);
      const registers = heap.add('array', '');
      const context = heap.add('object', 'RunningTaskContext');
      heap.refer(settle.generator, 'internal', 'parameters_and_registers', registers);
      heap.refer(registers, 'internal', 5, context);
      if (task === 0) heap.awaits(carrier.generator, settle.promise);
      const handler = heap.suspended('handler', 3);
      heap.awaits(settle.generator, handler.promise);
      heap.awaits(handler.generator, heap.promise());
    }
    const other = heap.suspended('#settle', 4);
    heap.awaits(other.generator, heap.promise());
    const { branches } = analysed(heap);
    const contexts = heap.objects.flatMap(({ name }, node) => (name === 'RunningTaskContext' ? [node * 2 + 1] : []));
    expect(branches.map((branch) => [shapeOf(branch), branch.count, branch.tasks.toSorted()])).toEqual([
      ['run()', 1, []],
      ['#settle(handler())', 3, contexts.toSorted()],
      ['#settle()', 1, []],
    ]);
  });

  test('names a thousand tasks of many', () => {
    const heap = new MadeHeap();
    for (let task = 0; task < 1_100; task++) {
      const settle = heap.suspended('#settle', 2);
      const registers = heap.add('array', '');
      heap.refer(settle.generator, 'internal', 'parameters_and_registers', registers);
      heap.refer(registers, 'internal', 5, heap.add('object', 'RunningTaskContext'));
      heap.awaits(settle.generator, heap.promise());
    }
    const { branches } = analysed(heap);
    expect(branches.map(({ count, tasks }) => [count, tasks.length])).toEqual([[1_100, 1_000]]);
  });

  test('follows imports of modules in a circle to the import that asked', () => {
    const heap = new MadeHeap();
    const body = heap.suspended('', 0);
    heap.objects[0]!.place!.column = 0;
    heap.awaits(body.generator, heap.promise());
    const modules = [0, 1].map(() => heap.add('hidden', 'system / SourceTextModule'));
    const importers = modules.map((module) => {
      const list = heap.add('array', '');
      heap.refer(module, 'hidden', 10, list);
      return list;
    });
    heap.refer(importers[0]!, 'internal', 0, modules[1]!);
    heap.refer(importers[1]!, 'internal', 0, modules[0]!);
    const imported = heap.promise();
    heap.refer(modules[1]!, 'hidden', 3, imported);
    const context = heap.add('object', 'system / Context');
    heap.refer(context, 'hidden', 0, modules[0]!);
    heap.react(body.promise, heap.builtin('CallAsyncModuleFulfilled', context));
    const importing = heap.suspended('importing', 5);
    heap.awaits(importing.generator, imported);
    expect(analysed(heap).branches.map(shapeOf)).toEqual(['importing((module)())']);
  });

  test('ends at promises that wait for each other, and names no more steps than one reads', () => {
    const heap = new MadeHeap();
    const waits = heap.suspended('waits', 1);
    const [one, two] = [heap.promise(), heap.promise()];
    heap.awaits(waits.generator, one);
    heap.react(one, undefined, two);
    heap.react(two, undefined, one);
    let last = heap.promise();
    heap.awaits(heap.suspended('nested', 2).generator, last);
    for (let depth = 0; depth < 40; depth++) {
      const context = heap.add('object', 'system / Context');
      heap.refer(context, 'hidden', 1, last);
      last = heap.promise();
      heap.react(last, heap.builtin('PromiseAllResolveElementClosure', context), heap.promise());
    }
    const { branches } = analysed(heap);
    expect(branches.map(({ name, leaves }) => [name, leaves.map(({ via }) => via)])).toEqual([
      ['waits', []],
      ['nested', [Array.from({ length: 16 }, () => 'Promise.all')]],
    ]);
  });

  test('tells of many timers the one that is due first, and of the objects twenty', () => {
    const heap = new MadeHeap();
    // A promise that a timer settles.
    for (let index = 0; index < 30; index++) {
      const promise = heap.promise();
      heap.awaits(heap.suspended('sleeps', 1).generator, promise);
      const context = heap.add('object', 'system / Context');
      heap.refer(context, 'hidden', 1, promise);
      const timer = heap.add('object', 'Timeout');
      heap.refer(timer, 'property', '_onTimeout', heap.builtin('PromiseCapabilityDefaultResolve', context));
      heap.number(timer, '_idleStart', 100);
      heap.number(timer, '_idleTimeout', 1000 + ((index * 7) % 30));
    }
    const [branch] = analysed(heap).branches;
    const timers = heap.objects.flatMap(({ name }, node) => (name === 'Timeout' ? [node * 2 + 1] : []));
    expect(branch).toMatchObject({
      count: 30,
      leaves: [{ kind: 'timer', count: 30, className: 'Timeout', timer: { startedAt: 100, afterMs: 1000 } }],
    });
    expect(branch!.leaves[0]!.objects).toEqual(timers.slice(0, 20));
  });

  test('tells of a worker the event that is waited for, not its failure by which something else is told', () => {
    const heap = new MadeHeap();
    const promise = heap.promise();
    heap.awaits(heap.suspended('waits', 1).generator, promise);
    const capability = heap.add('object', 'system / Context');
    heap.refer(capability, 'hidden', 1, promise);
    const resolve = heap.builtin('PromiseCapabilityDefaultResolve', capability);
    const job = heap.add('object', 'Job');
    heap.refer(job, 'property', 'done', resolve);
    const onError = heap.add('closure', 'onError');
    heap.refer(onError, 'internal', 'bound_this', job);
    const listeners = heap.add('object', 'Object');
    heap.refer(listeners, 'property', 'error', onError);
    heap.refer(listeners, 'property', 'exit', resolve);
    const worker = heap.add('object', 'Worker');
    heap.refer(worker, 'property', '_events', listeners);
    const [{ leaves } = { leaves: [] }] = analysed(heap).branches;
    expect(leaves).toMatchObject([{ kind: 'worker thread', event: 'exit' }]);
  });

  test('takes a collection in a variable for one also where V8 puts a cell between them', () => {
    const heap = new MadeHeap();
    const promise = heap.promise();
    heap.awaits(heap.suspended('waits', 1).generator, promise);
    const capability = heap.add('object', 'system / Context');
    heap.refer(capability, 'hidden', 1, promise);
    const list = heap.add('object', 'Array');
    heap.refer(list, 'element', 0, heap.builtin('PromiseCapabilityDefaultResolve', capability));
    const cell = heap.add('hidden', 'system / ContextCell');
    heap.refer(cell, 'hidden', 0, list);
    const context = heap.add('object', 'system / Context');
    heap.refer(context, 'context', 'waiting', cell);
    heap.refer(context, 'internal', 'previous', heap.add('object', 'system / Context'));
    const listeners = heap.add('object', 'Object');
    heap.refer(listeners, 'property', 'request', heap.builtin('Listener', context));
    heap.refer(heap.add('object', 'Server'), 'property', '_events', listeners);
    const [{ leaves } = { leaves: [] }] = analysed(heap).branches;
    expect(leaves).toEqual([{ kind: 'promise', count: 1, via: [], className: '', objects: [], heldAs: 'waiting' }]);
  });

  test('takes functions from whatever heap, also one that lacks what is known of them', () => {
    const heap = new MadeHeap();
    const generator = heap.add('object', 'Generator');
    heap.awaits(generator, heap.promise());
    const lost = heap.promise();
    heap.react(lost, heap.add('closure', 'callback'));
    heap.react(lost, undefined);
    heap.react(lost, heap.builtin('PromiseAllResolveElementClosure', heap.add('object', 'system / Context')));
    heap.react(lost, heap.builtin('AsyncFunctionAwaitResolveClosure', heap.add('object', 'system / Context')));
    heap.react(lost, heap.builtin('CallAsyncModuleFulfilled', heap.add('object', 'system / Context')));
    const { branches, suspended, objects } = analysed(heap);
    expect([suspended, objects]).toEqual([1, heap.objects.length]);
    expect(branches).toEqual([
      {
        name: '',
        definedAt: undefined,
        via: [],
        count: 1,
        sample: generator * 2 + 1,
        tasks: [],
        children: [],
        leaves: [{ kind: 'promise', count: 1, via: [], className: '', objects: [] }],
        circular: false,
      },
    ]);
  });
});
