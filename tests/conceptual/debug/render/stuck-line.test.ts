import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AwaitBranch, Frame, Leaf, Place, ThreadInspection } from '../../../../dist/debug/inspection.js';
import { stuckLine } from '../../../../dist/debug/render/stuck-line.js';

const place = (line: number, file = '/app/jobs.mjs'): Place => ({ file, line, column: 3 });
const frame = (name: string, line: number, file?: string): Frame => ({ name, place: place(line, file) });
const leaf = (what: string, more: Partial<Leaf> = {}): Leaf => ({ kind: 'timer', count: 1, via: [], what, ...more });

function branch(name: string, line: number, more: Partial<AwaitBranch> = {}): AwaitBranch {
  const at = place(line);
  return { name, count: 1, at, definedAt: place(1), via: [], children: [], leaves: [], circular: false, ...more };
}

/** Tasks that are run alike; `below` is what their lane awaits. */
function root(ids: string[], below: Partial<AwaitBranch>): AwaitBranch {
  const tasks = ids.map((id) => ({ id, handler: 'work', attempt: 1, ageMs: 5 }));
  return branch('Lane.#settle', 99, { count: ids.length, tasks, ...below });
}

function thread(more: Partial<ThreadInspection>): ThreadInspection {
  return {
    threadId: 1,
    name: 'worker 1',
    state: 'waiting',
    stack: [],
    heapUsed: 1,
    pause: { predictedMs: 1, measuredMs: 1 },
    view: 'whole',
    awaits: [],
    suspended: 0,
    hidden: 0,
    handles: [],
    notes: [],
    tasks: [{ id: 'a', handler: 'work', attempt: 1, ageMs: 5 }],
    ...more,
  };
}

describe('a task that waits', () => {
  test('is told from its handler down to what it waits for, and nothing of other tasks', () => {
    const inner = branch('read', 8, { via: ['then'], leaves: [leaf('timer, due in 3s')] });
    const awaits = [
      root(['other'], { children: [branch('elsewhere', 70)] }),
      root(['a'], { children: [branch('work', 4, { children: [inner] })] }),
    ];
    expect(stuckLine(thread({ awaits }), 'a')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → then ▸ read (/app/jobs.mjs:8:3) → timer, due in 3s',
    );
  });

  test('of many alike is told as one', () => {
    const call = branch('work', 4, { count: 200, leaves: [leaf('timer, due in 3s', { count: 600 })] });
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    expect(stuckLine(thread({ awaits: [root(ids, { children: [call] })] }), '7')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → timer, due in 3s ×3',
    );
  });

  test('whose handler is no async function, or was collected, is told by the name of that', () => {
    const awaits = [root(['a'], { leaves: [leaf('promise that nobody is known to settle', { kind: 'promise' })] })];
    expect(stuckLine(thread({ awaits }), 'a')).toBe('waiting: work → promise that nobody is known to settle');
    const sides = [root(['a'], { children: [branch('read', 8, { via: ['Promise.race'] })], leaves: [leaf('timer')] })];
    expect(stuckLine(thread({ awaits: sides }), 'a')).toBe(
      'waiting: work → [Promise.race ▸ read (/app/jobs.mjs:8:3) | timer]',
    );
    const raced = [root(['a'], { children: [branch('read', 8, { via: ['Promise.race'] })] })];
    expect(stuckLine(thread({ awaits: raced }), 'a')).toBe('waiting: work → Promise.race ▸ read (/app/jobs.mjs:8:3)');
    const both = [root(['a'], { children: [branch('read', 8)], leaves: [leaf('timer')] })];
    expect(stuckLine(thread({ awaits: both }), 'a')).toBe('waiting: work → [read (/app/jobs.mjs:8:3) | timer]');
  });

  test('for several things has them side by side, the first three of them', () => {
    const sides = [1, 2, 3, 4, 5].map((line) => branch('read', line, { via: ['Promise.all'], at: null }));
    const awaits = [root(['a'], { children: [branch('work', 4, { children: sides })] })];
    expect(stuckLine(thread({ awaits }), 'a')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → ' +
        `[${Array(3).fill('Promise.all ▸ read (written at /app/jobs.mjs:1:3)').join(' | ')} | and 2 more]`,
    );
  });

  test('for itself, is told to do so; what has no name or no place, without it', () => {
    const nameless = branch('', 8, { at: null, definedAt: null, circular: true, via: ['adopted'] });
    const awaits = [root(['a'], { children: [branch('work', 4, { children: [nameless] })] })];
    expect(stuckLine(thread({ awaits }), 'a')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → resolved with ▸ (anonymous), which waits for itself',
    );
  });

  test('at the end of a long way is told with its first steps and its last', () => {
    const cut = branch('work', 4, { omitted: 70, children: [branch('last', 90)] });
    expect(stuckLine(thread({ awaits: [root(['a'], { children: [cut] })] }), 'a')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → 70 more → last (/app/jobs.mjs:90:3)',
    );
    let deep = branch('last', 1_000, { leaves: [leaf('timer, due in 3s')] });
    for (let line = 999; line > 0; line--) deep = branch(`step${line}`, line, { children: [deep] });
    const line = stuckLine(thread({ awaits: [root(['a'], { children: [deep] })] }), 'a');
    expect(line).toMatch(
      /^waiting: step1 .* → step4 \(\S+\) → 989 more → step994 .* → last \(\S+\) → timer, due in 3s$/,
    );
  });

  test('while its thread computes is told with what that does', () => {
    const awaits = [root(['a'], { children: [branch('work', 4, { leaves: [leaf('timer')] })] })];
    const busy = thread({ awaits, state: 'running', stack: [frame('spin', 9)] });
    expect(stuckLine(busy, 'a')).toBe(
      'waiting: work (/app/jobs.mjs:4:3) → timer; meanwhile its thread is running: spin (/app/jobs.mjs:9:3)',
    );
  });
});

describe('a task that computes', () => {
  const stack = [
    frame('deeper', 9),
    frame('spin', 8),
    frame('onMessage', 180, '/app/node_modules/piscina/dist/worker.js'),
  ];

  test('is told from its handler to what runs', () => {
    const expected = 'running: spin (/app/jobs.mjs:8:3) → deeper (/app/jobs.mjs:9:3)';
    expect(stuckLine(thread({ state: 'running', stack }), 'a')).toBe(expected);
    // After an await, all that holds it is a promise.
    const awaits = [root(['a'], { leaves: [leaf('promise', { kind: 'promise' })] })];
    expect(stuckLine(thread({ state: 'running', stack, awaits }), 'a')).toBe(expected);
    const called = [root(['a'], { children: [branch('work', 4, { at: null, leaves: [leaf('promise')] })] })];
    expect(stuckLine(thread({ state: 'running', stack, awaits: called }), 'a')).toBe(expected);
  });

  test('is not taken for another one that waits on the same thread', () => {
    const awaits = [root(['a', 'b'], { leaves: [leaf('promise', { kind: 'promise' })] })];
    const tasks = ['a', 'b', 'c'].map((id) => ({ id, handler: 'work', attempt: 1, ageMs: 5 }));
    const busy = thread({ state: 'running', stack, awaits, tasks });
    expect(stuckLine(busy, 'b')).toMatch(/^waiting: work → promise; meanwhile its thread is running: spin/);
    expect(stuckLine(busy, 'c')).toMatch(/^running: spin/);
  });

  test('in native code is told so, with what there is to tell', () => {
    expect(stuckLine(thread({ state: 'blocked' }), 'a')).toBe('blocked in native code');
    const waits = thread({ state: 'blocked', blockedIn: 'Atomics.wait', stack: [{ name: 'wait', place: null }] });
    expect(stuckLine(waits, 'a')).toBe('blocked in Atomics.wait: wait');
  });
});

test('what could not be seen is told with its reason', () => {
  const notes = ['what it awaits is not known: its heap is too large'];
  expect(stuckLine(thread({ notes }), 'a')).toBe(notes[0]);
  expect(stuckLine(thread({}), 'a')).toBe('not known: it was between two awaits');
  expect(stuckLine(thread({ state: 'running' }), 'a')).toBe('not known: it was between two awaits');
});

test('whatever there is, it is one line that steers no terminal, and is not too long', () => {
  const { tree } = fc.letrec<{ tree: AwaitBranch }>((tie) => ({
    tree: fc.record({
      name: fc.string(),
      count: fc.nat(),
      at: fc.option(fc.constant(place(1, '/a\u001b[31m\nb')), { nil: null }),
      definedAt: fc.constant(null),
      via: fc.subarray<'then' | 'Promise.all'>(['then', 'Promise.all']),
      children: fc.oneof({ maxDepth: 4 }, fc.constant<AwaitBranch[]>([]), fc.array(tie('tree'), { maxLength: 3 })),
      leaves: fc.array(
        fc.string().map((what) => leaf(what)),
        { maxLength: 3 },
      ),
      circular: fc.boolean(),
    }),
  }));
  fc.assert(
    fc.property(tree, fc.array(fc.string()), (top, names) => {
      const stack = names.map((name) => frame(name, 1));
      const awaits = [{ ...top, count: 1, tasks: [{ id: 'a', handler: 'work', attempt: 1, ageMs: 5 }] }];
      const line = stuckLine(thread({ awaits, stack, state: 'running' }), 'a');
      // eslint-disable-next-line no-control-regex -- these are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      expect(line.length).toBeLessThanOrEqual(2_000);
      expect(line).toMatch(/^(waiting|running|not known): /);
    }),
  );
});
