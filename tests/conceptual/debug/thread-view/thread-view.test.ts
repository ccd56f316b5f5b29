import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeapBranch, HeapLeaf } from '../../../../dist/debug/await/findings.js';
import type { AwaitBranch } from '../../../../dist/debug/inspection.js';
import type { Session } from '../../../../dist/debug/inspector/session.js';
import { countOf, shownBranches } from '../../../../dist/debug/thread-view/branches.js';
import { doingOf } from '../../../../dist/debug/thread-view/doing.js';
import { handlesOf, leafOf } from '../../../../dist/debug/thread-view/leaf-words.js';
import { MemoryBudget, memoryFor } from '../../../../dist/debug/thread-view/memory-need.js';
import { PausePredictor, wasWrong } from '../../../../dist/debug/thread-view/predict.js';
import { Scripts } from '../../../../dist/debug/thread-view/scripts.js';

const OWN = pathToFileURL(new URL('../../../../dist/debug/inspect-self.js', import.meta.url).pathname).href;

/** Scripts by number, as a thread tells of them. */
const URLS: Record<number, string> = {
  1: 'file:///app/main.mjs',
  2: 'node:internal/fs/promises',
  3: OWN,
  4: '/app/old.cjs',
};

async function scripts(more: Record<number, { url: string; sourceMapURL: string }> = {}): Promise<Scripts> {
  let tell: (script: object) => void = () => {};
  const session: Session = {
    call: <Result>() => {
      for (const [scriptId, url] of Object.entries(URLS)) tell({ scriptId, url });
      for (const [scriptId, script] of Object.entries(more)) tell({ scriptId, ...script });
      return Promise.resolve({} as Result);
    },
    on: (_event, listener) => {
      tell = listener as typeof tell;
      return () => {};
    },
  };
  const all = new Scripts(session);
  await all.load();
  return all;
}

const APP = { scriptId: 1, line: 9, column: 4 };
const NODE = { scriptId: 2, line: 0, column: 0 };

function branch(name: string, more: Partial<HeapBranch> = {}): HeapBranch {
  return {
    name,
    definedAt: APP,
    via: [],
    count: 1,
    sample: 1,
    tasks: [],
    children: [],
    leaves: [],
    circular: false,
    ...more,
  };
}

function leaf(more: Partial<HeapLeaf> = {}): HeapLeaf {
  return { kind: 'promise', count: 1, via: [], className: 'Promise', objects: [], ...more };
}

const YOUNG = { id: 'b', attempt: 1, handler: 'work', ageMs: 10 };
const OLD = { id: 'a', attempt: 2, handler: 'work', ageMs: 4_000 };

async function shown(branches: HeapBranch[], all = false) {
  const known = await scripts();
  return shownBranches(branches, {
    scripts: known,
    all,
    leafOf: (given) => leafOf(given, 1_000, new Map(), known),
    tasks: new Map([
      [7, YOUNG],
      [8, OLD],
    ]),
  });
}

const text = (branches: AwaitBranch[]): string =>
  branches
    .map(({ name, via, count, children, leaves }) => {
      const below = [
        ...leaves.map(({ what, via: steps, count: n }) => [...steps, what, n].join(' ')),
        text(children),
      ].filter(Boolean);
      return `${[...via, name, count].join(' ')}(${below.join(', ')})`;
    })
    .join(', ');
const textOf = async (branches: HeapBranch[], all?: boolean) =>
  text((await shown(branches, all)).map((found) => found.branch));

describe('what is shown of what a thread awaits', () => {
  test('what an internal waits for hangs on whoever waits for it, with all steps on the way', async () => {
    const internal = branch('readFile', {
      definedAt: NODE,
      via: ['Promise.all'],
      leaves: [leaf({ kind: 'file operation', via: ['then'], className: 'FSReqPromise' })],
      children: [branch('below', { via: ['adopted'] })],
    });
    expect(await textOf([branch('user', { children: [internal] })])).toBe(
      'user 1(Promise.all then file operation 1, Promise.all adopted below 1())',
    );
    expect(await textOf([branch('user', { children: [internal] })], true)).toBe(
      'user 1(Promise.all readFile 1(then file operation 1, adopted below 1()))',
    );
  });

  test('internals that nobody of the program waits for are not shown; what they wait for is', async () => {
    const loop = branch('loop', { definedAt: { ...APP, scriptId: 3 }, leaves: [leaf()], children: [branch('user')] });
    expect(await textOf([loop])).toBe('user 1()');
    const unknown = branch('native', { definedAt: undefined, leaves: [leaf()] });
    expect(await textOf([unknown])).toBe('');
  });

  test('whoever asked for the look waits for nothing else', async () => {
    const look = branch('inspectSelf', { definedAt: { ...APP, scriptId: 3 }, children: [branch('other')] });
    expect(await textOf([branch('user', { children: [look] })])).toBe('user 1(this very look 1)');
  });

  test('a function that runs a task is the task, though it is an internal; the oldest task comes first', async () => {
    const tasks = [7, 8, 9];
    const [found] = await shown([branch('settle', { definedAt: { ...APP, scriptId: 3 }, tasks, count: 3 })]);
    expect(found!.branch.tasks).toEqual([OLD, YOUNG]);
  });

  test('leaves that read the same are one; timers are told by the first that is due', async () => {
    const timer = (afterMs: number, count = 1) => leaf({ kind: 'timer', count, timer: { startedAt: 0, afterMs } });
    const [found] = await shown([branch('user', { leaves: [timer(9_000), leaf(), timer(3_000, 2), leaf()] })]);
    expect(found!.branch.leaves.map(({ what, count, dueInMs }) => [what, count, dueInMs])).toEqual([
      ['timer, due in 2s', 3, 2_000],
      ['promise that nobody is known to settle', 2, undefined],
    ]);
  });

  test('nothing of the program is lost or counted twice, wherever internals lie between', async () => {
    const tree: fc.Memo<HeapBranch> = fc.memo((depth) =>
      fc
        .record({
          definedAt: fc.constantFrom(APP, NODE),
          count: fc.integer({ min: 1, max: 9 }),
          children: depth <= 1 ? fc.constant<HeapBranch[]>([]) : fc.array(tree(), { maxLength: 3 }),
        })
        .map((more) => branch('fn', more)),
    );
    const users = (list: readonly HeapBranch[]): number =>
      list.reduce((sum, { definedAt, count, children }) => sum + (definedAt === APP ? count : 0) + users(children), 0);
    await fc.assert(
      fc.asyncProperty(fc.array(tree(5), { maxLength: 4 }), async (list) => {
        expect(countOf(await shown(list))).toBe(users(list));
      }),
    );
  });

  test('a chain of 100,000 is shown whole', async () => {
    let chain = branch('last');
    for (let n = 1; n < 100_000; n++) chain = branch('next', { children: [chain] });
    expect(countOf(await shown([chain]))).toBe(100_000);
  });
});

describe('words', () => {
  const words = async (given: Partial<HeapLeaf>) => leafOf(leaf(given), 1_000, new Map(), await scripts()).what;

  test('for each kind of leaf', async () => {
    expect(await words({ kind: 'timer', timer: { startedAt: 500, afterMs: 12_500 } })).toBe('timer, due in 12s');
    expect(await words({ kind: 'timer', timer: { startedAt: 0, afterMs: 400 } })).toBe('timer, overdue by 600ms');
    expect(await words({ kind: 'timer' })).toBe('timer');
    expect(await words({ kind: 'event', className: 'Bus', event: 'ready' })).toBe('event "ready" of Bus');
    expect(await words({ kind: 'socket', event: 'data' })).toBe('socket, for "data"');
    expect(await words({ kind: 'file operation', path: '/tmp/pipe' })).toBe('file operation /tmp/pipe');
    expect(await words({ kind: 'lock', heldBy: 'Mutex', heldAs: 'queue' })).toBe('lock Mutex.queue');
    expect(await words({ heldBy: 'Deferred' })).toBe('promise, its resolver held by Deferred');
    expect(await words({ heldAs: 'resolve', heldAt: APP })).toBe(
      'promise, its resolver held in "resolve" (/app/main.mjs:10:5)',
    );
    expect(await words({ heldAs: 'resolve' })).toBe('promise, its resolver held in "resolve"');
    expect(await words({ kind: 'microtask' })).toBe('nothing: it is about to go on');
    const url = 'GET http://127.0.0.1:8123/slow';
    expect(await words({ kind: 'http request', url, event: 'response' })).toBe(`http request ${url}, for "response"`);
    expect(await words({})).toBe('promise that nobody is known to settle');
  });

  test('for what open handles tell of themselves, by the object that is waited for', async () => {
    const known = new Map([[7, { className: 'ChildProcess', count: 1, keepsAlive: true, pid: 42, path: 'sleep 9' }]]);
    const told = leafOf(leaf({ kind: 'child process', objects: [5, 7] }), 0, known, await scripts());
    expect(told).toMatchObject({ what: 'child process 42 sleep 9', pid: 42, path: 'sleep 9' });
  });

  test('handles that read the same are one', () => {
    const port = { className: 'MessagePort', count: 1, keepsAlive: true };
    expect(handlesOf([port, { ...port, keepsAlive: false }, port])).toEqual([
      { kind: 'message port', count: 2, what: 'message port', keepsAlive: true },
      { kind: 'message port', count: 1, what: 'message port', keepsAlive: false },
    ]);
    expect(handlesOf([{ className: 'Socket', count: 1, keepsAlive: true, fd: 1 }])[0]!.what).toBe('socket (stdout)');
    expect(handlesOf([{ className: 'Odd', count: 1, keepsAlive: true, threadId: 3 }])[0]!.what).toBe('Odd 3');
  });
});

describe('what a thread is doing', () => {
  const doing = async (frames: Parameters<typeof doingOf>[0], all = false) => doingOf(frames, await scripts(), all);
  const QUESTION = ['survey', '', 1, 1] as const;
  const USER = ['spin', 'file:///app/main.mjs', 3, 7] as const;
  const LOOP = ['listOnTimeout', 'node:internal/timers', 5, 1] as const;
  const frames = (...list: (readonly [string | null, string | null, number | null, number | null])[]) =>
    list.map((frame) => [...frame] as Parameters<typeof doingOf>[0][number]);

  test('it waits when nothing but the question is on its stack, or holdfast, which asks', async () => {
    expect(await doing(frames(QUESTION))).toEqual({ state: 'waiting', stack: [] });
    expect(await doing(frames(QUESTION, ['ask', OWN, 1, 1], LOOP))).toEqual({ state: 'waiting', stack: [] });
    const caller = ['async main', 'file:///app/main.mjs', 1, 1] as const;
    expect(await doing(frames(QUESTION, ['ask', OWN, 1, 1], caller))).toEqual({ state: 'waiting', stack: [] });
    expect((await doing(frames(QUESTION, ['ask', OWN, 1, 1], LOOP), true)).stack).toHaveLength(2);
  });

  test('it runs when Node does: an async loop that never yields is met between two of its steps', async () => {
    expect(await doing(frames(QUESTION, LOOP))).toEqual({
      state: 'running',
      stack: [{ name: 'listOnTimeout', place: { file: 'node:internal/timers', line: 5, column: 1 } }],
    });
  });

  test('it runs when code of the program is; the stack is shown without internals', async () => {
    const place = { file: '/app/main.mjs', line: 3, column: 7 };
    const native = ['RegExp.test', null, null, null] as const;
    expect(await doing(frames(QUESTION, native, USER, LOOP))).toEqual({
      state: 'running',
      stack: [
        { name: 'RegExp.test', place: null },
        { name: 'spin', place },
      ],
    });
    expect((await doing(frames(QUESTION, USER, LOOP), true)).stack).toHaveLength(2);
  });

  test('it is blocked in Atomics.wait, by whom it may be', async () => {
    const wait = ['Atomics.wait', null, null, null] as const;
    expect(await doing(frames(QUESTION, wait, USER))).toMatchObject({ state: 'blocked', blockedIn: 'Atomics.wait' });
  });
});

describe('places', () => {
  const mapping = (sources: string[], sourceRoot?: string) =>
    `data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources, names: [], mappings: 'AACA', sourceRoot })).toString('base64')}`;

  test('are those of the source, where a source map tells; else of the code that runs', async () => {
    const known = await scripts({
      5: { url: 'file:///app/dist/a.js', sourceMapURL: mapping(['../src/a.ts']) },
      6: { url: '/app/dist/b.js', sourceMapURL: mapping(['b.ts'], '../source') },
      7: { url: 'file:///app/dist/c.js', sourceMapURL: 'missing.js.map' },
      8: { url: 'file:///app/dist/d.js', sourceMapURL: 'data:application/json,%7Bbroken' },
    });
    const at = (scriptId: number) => known.placeOf({ scriptId, line: 0, column: 0 });
    expect(at(5)).toEqual({ file: '/app/src/a.ts', line: 2, column: 1 });
    expect(at(6)).toEqual({ file: '/app/source/b.ts', line: 2, column: 1 });
    expect(at(7)).toEqual({ file: '/app/dist/c.js', line: 1, column: 1 });
    expect(at(8)).toEqual({ file: '/app/dist/d.js', line: 1, column: 1 });
    expect(at(4)).toEqual({ file: '/app/old.cjs', line: 1, column: 1 });
    expect(at(99)).toBeUndefined();
    expect(known.placeIn('[worker eval]', 3, 4)).toEqual({ file: '[worker eval]', line: 3, column: 4 });
  });
});

describe('the pause that is predicted', () => {
  test('grows with the heap, and is never nothing', () => {
    const predictor = new PausePredictor(() => 1);
    fc.assert(
      fc.property(fc.nat(2e9), fc.nat(1e9), (bytes, more) => {
        expect(predictor.predict(1, bytes)).toBeGreaterThan(0);
        expect(predictor.predict(1, bytes + more)).toBeGreaterThanOrEqual(predictor.predict(1, bytes));
      }),
    );
  });

  test('comes closer to what is measured with each pause, up to eight times what it was', () => {
    const predictor = new PausePredictor(() => 1);
    const first = predictor.predict(1, 5e6);
    let before = first;
    for (let n = 0; n < 20; n++) {
      predictor.learn(1, 5e6, 3 * first);
      expect(predictor.predict(1, 5e6)).toBeGreaterThanOrEqual(before);
      before = predictor.predict(1, 5e6);
    }
    expect(Math.abs(before - 3 * first)).toBeLessThan(3);
    for (let n = 0; n < 20; n++) predictor.learn(1, 5e6, 100 * first);
    expect(predictor.predict(1, 5e6)).toBeLessThanOrEqual(8 * first + 4);
  });

  test('is longer by as many as share a core, and what is learnt is not', () => {
    let crowd = 1;
    const predictor = new PausePredictor(() => crowd);
    const alone = predictor.predict(1, 5e6);
    crowd = 3;
    expect(Math.abs(predictor.predict(1, 5e6) - 3 * alone)).toBeLessThan(3);
    predictor.learn(1, 5e6, 3 * alone);
    crowd = 1;
    expect(Math.abs(predictor.predict(1, 5e6) - alone)).toBeLessThan(3);
  });

  test('is what it was in the beginning, once nothing was measured for long', () => {
    const predictor = new PausePredictor(() => 1);
    const first = predictor.predict(1, 5e6);
    predictor.learn(1, 5e6, 4 * first);
    for (let n = 0; n < 500; n++) predictor.forget(1);
    expect(predictor.predict(1, 5e6)).toBe(first);
  });

  test('is at once what was measured, where that was more than twice as long; and other threads are mended by halves', () => {
    const predictor = new PausePredictor(() => 1);
    const first = predictor.predict(1, 5e6);
    predictor.learn(1, 5e6, 2.6 * first);
    expect(Math.abs(predictor.predict(1, 5e6) - 2.6 * first)).toBeLessThan(3);
    expect(Math.abs(predictor.predict(2, 5e6) - 1.8 * first)).toBeLessThan(3);
    // What is said of a heap holds for longer than what is said of a machine.
    for (let n = 0; n < 20; n++) predictor.forget(1);
    expect(predictor.predict(1, 5e6)).toBeGreaterThan(2 * first);
    expect(predictor.predict(2, 5e6)).toBeLessThan(1.2 * first);
  });

  test.each([
    [4_000, 13_100, true],
    [4_000, 8_000, false],
    [200, 690, false],
    [200, 710, true],
  ])('of %d ms where it was %d: that it was wrong is told: %s', (predicted, measured, told) => {
    expect(wasWrong(predicted, measured)).toBe(told);
  });
});

describe('the memory that a walk takes', () => {
  const MB = 1e6;

  test('is predicted to be at least what was measured, and more for more', () => {
    // Heap, and growth of the resident memory, in MB, with Node 20 and 24: a program's own code; objects; texts; a map; tiny objects.
    for (const [heap, grew] of [
      [3.8, 32],
      [4.7, 40],
      [11.2, 141],
      [19.9, 274],
      [39.9, 791],
      [30.7, 787 * 0.95],
    ] as const) {
      expect(memoryFor(heap * MB)).toBeGreaterThanOrEqual(grew * MB);
    }
    fc.assert(
      fc.property(fc.nat(2e9), fc.nat(1e9), (bytes, more) => {
        expect(memoryFor(bytes + more)).toBeGreaterThanOrEqual(memoryFor(bytes));
      }),
    );
  });

  test('is refused above what is free, with both figures, and what others take at the same time counts', () => {
    let bytes = 500 * MB;
    const budget = new MemoryBudget(() => ({ bytes, where: 'in its control group' }), false);
    expect(budget.take(41 * MB)).toBe(
      'to walk through its heap of 39.1MB may take 1020.4MB of memory, and 476.8MB are free in its control group',
    );
    expect(budget.take(16 * MB)).toBeUndefined();
    expect(budget.take(16 * MB)).toMatch(/ may take 305.\dMB of memory, and 171.\dMB are free/);
    budget.giveBack(16 * MB);
    expect(budget.take(16 * MB)).toBeUndefined();
    budget.giveBack(16 * MB);
    bytes = 0;
    expect(budget.take(1)).toContain(' are free in its control group');
  });

  test('has no limit where the system does not tell', () => {
    expect(new MemoryBudget(() => undefined, true).take(1e12)).toBeUndefined();
  });
});
