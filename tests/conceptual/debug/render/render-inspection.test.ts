import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  AwaitBranch,
  Handle,
  Inspection,
  Leaf,
  Place,
  ThreadInspection,
} from '../../../../dist/debug/inspection.js';
import { awaitLines } from '../../../../dist/debug/render/await-lines.js';
import { renderInspection } from '../../../../dist/debug/render/render-inspection.js';
import { painter } from '../../../../dist/cli/screen/color.js';
import { runs } from '../../../support/runs.js';

const at = (file: string, line = 1, column = 1): Place => ({ file: resolve(file), line, column });
const plain = (_color: string, text: string) => text;

function branch(name: string, fields: Partial<AwaitBranch> = {}): AwaitBranch {
  const rest = { definedAt: null, via: [], children: [], leaves: [], circular: false };
  return { name, count: 1, at: at(`${name}.js`), ...rest, ...fields };
}

function leaf(what: string, fields: Partial<Leaf> = {}): Leaf {
  return { kind: 'timer', count: 1, via: [], what, ...fields };
}

function handle(what: string, fields: Partial<Handle> = {}): Handle {
  return { kind: 'timer', count: 1, what, keepsAlive: true, ...fields };
}

function thread(threadId: number, fields: Partial<ThreadInspection> = {}): ThreadInspection {
  return {
    threadId,
    name: threadId === 0 ? 'main' : '',
    state: 'waiting',
    stack: [],
    heapUsed: 5 * 1024 ** 2,
    pause: { predictedMs: 120, measuredMs: 140 },
    view: 'whole',
    awaits: [],
    suspended: 0,
    hidden: 0,
    handles: [],
    notes: [],
    ...fields,
  };
}

function inspection(threads: ThreadInspection[], fields: Partial<Inspection> = {}): Inspection {
  return {
    schema: 1,
    takenAt: '2026-01-02T03:04:05.678Z',
    tookMs: 612,
    pid: 4711,
    node: 'v20.20.2',
    command: 'server.js --port 80',
    threads,
    notes: [],
    ...fields,
  };
}

const rendered = (...args: Parameters<typeof inspection>) => renderInspection(inspection(...args), {});
/** The lines of one tree. */
const tree = (branches: AwaitBranch[], options: { all?: boolean; hint?: string } = {}) =>
  awaitLines(branches, { paint: plain, all: options.all ?? false, hint: options.hint });
/** `first` awaits the next, and so on; the last one awaits `below`. */
const chain = (names: readonly string[], below: Partial<AwaitBranch>): AwaitBranch =>
  names.slice(0, -1).reduceRight((inner, name) => branch(name, { children: [inner] }), branch(names.at(-1)!, below));
const numbered = (count: number, name = 'f') => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('the text of an inspection', () => {
  test('tells of the process, then of each thread what it runs, awaits and has open', () => {
    const main = thread(0, {
      awaits: [
        branch('serve', {
          children: [
            branch('query', {
              count: 1_000,
              via: ['Promise.all', 'adopted', 'then', 'adopted', 'then'],
              leaves: [
                leaf('socket to 127.0.0.1:5432', { count: 999 }),
                leaf('timer, due in 3s', { via: ['Promise.race'] }),
              ],
            }),
          ],
        }),
        branch('', { at: null, definedAt: at('src/poll.js', 3, 4), circular: true }),
        branch('unknown', { at: null }),
      ],
      suspended: 1_006,
      hidden: 3,
      handles: [handle('server on 127.0.0.1:8080'), handle('timer', { count: 2, keepsAlive: false })],
    });
    const spins = thread(1, {
      name: 'indexer',
      state: 'running',
      stack: [
        { name: 'Atomics.load', place: null },
        { name: 'spin', place: at('src/index.js', 12, 5) },
        { name: '', place: null },
      ],
      view: 'cheap',
      suspended: null,
      pause: { predictedMs: 6_000, measuredMs: null },
      notes: ['its heap was not walked through'],
    });
    const blocked = thread(2, {
      name: 'Worker 2',
      state: 'blocked',
      blockedIn: 'futex_wait',
      stack: [
        { name: 'Atomics.wait', place: null },
        { name: 'sleep', place: at('src/sleep.js') },
      ],
      heapUsed: null,
      pause: { predictedMs: null, measuredMs: null },
      view: 'cheap',
      suspended: null,
    });
    expect(rendered([main, spins, blocked], { notes: ['one thread ended meanwhile'] })).toBe(
      `process 4711, node v20.20.2: server.js --port 80  2026-01-02T03:04:05.678Z, took 612ms
worker 1 (indexer) runs spin (src/index.js:12:5); worker 2 is blocked in futex_wait (src/sleep.js:1:1); main waits
note: one thread ended meanwhile

main  waiting, heap 5MB, paused 140ms (120ms predicted)
  1,003 suspended functions, and 3 internal
  ├─ serve  serve.js:1:1
  │  └─ Promise.all ▸ then ▸ query ×1,000  query.js:1:1
  │     ├─ socket to 127.0.0.1:5432 ×999
  │     └─ Promise.race ▸ timer, due in 3s
  ├─ (anonymous)  written at src/poll.js:3:4  waits for itself
  └─ unknown
  open handles
    server on 127.0.0.1:8080
    timer ×2 (unref'd)

worker 1 (indexer)  running, heap 5MB
  note: its heap was not walked through
  at Atomics.load
  at spin  src/index.js:12:5
  at (anonymous)

worker 2  blocked in futex_wait
  at Atomics.wait
  at sleep  src/sleep.js:1:1
`,
    );
  });

  test('is a few lines for a process that does nothing', () => {
    expect(rendered([thread(0, { pause: { predictedMs: null, measuredMs: 20 } })])).toBe(
      `process 4711, node v20.20.2: server.js --port 80  2026-01-02T03:04:05.678Z, took 612ms

main  waiting, heap 5MB, paused 20ms
  nothing awaited
`,
    );
    expect(rendered([thread(0, { suspended: 1_234, hidden: 1_234 })])).toContain(
      'nothing awaited but 1,234 internal\n',
    );
    expect(rendered([thread(0, { suspended: 1, awaits: [branch('a')] })])).toContain('  1 suspended function\n');
    expect(rendered([thread(0, { state: 'running' }), thread(1, { state: 'blocked' })])).toContain(
      '\nmain runs; worker 1 is blocked\n',
    );
  });

  test('names the tasks that functions run, the first ones, and the age of the oldest', () => {
    const task = (id: string, fields = {}) => ({ id, handler: 'resize', attempt: 1, ageMs: 12_000, ...fields });
    const resize = branch('resize');
    const awaits = [
      branch('lane', { tasks: [task('photo-1')], children: [resize] }),
      branch('lane', {
        count: 100,
        tasks: [task('a'), task('b', { ageMs: 1, attempt: 3 }), task('c', { handler: 'crop' }), task('d')],
        children: [branch('resize', { count: 100, leaves: [leaf('timer')] })],
      }),
      branch('lane', { count: 2, tasks: [task('e'), task('f', { ageMs: 63_000 })], leaves: [leaf('timer')] }),
    ];
    expect(rendered([thread(0, { awaits, suspended: 205 })])).toContain(`
  ├─ task "photo-1" (handler resize, attempt 1, 12s)
  │  └─ resize  resize.js:1:1
  ├─ tasks "a", "b", "c" and 97 more (handler resize, crop, attempts 1 to 3, the oldest 12s)
  │  └─ resize ×100  resize.js:1:1
  │     └─ timer
  └─ tasks "e", "f" (handler resize, attempt 1, the oldest 1m 3s)
     └─ timer
`);
    // What runs them is a function of holdfast.
    expect(tree(awaits.slice(0, 1), { all: true })).toEqual([
      '└─ task "photo-1" (handler resize, attempt 1, 12s)',
      '   └─ lane  lane.js:1:1',
      '      └─ resize  resize.js:1:1',
    ]);
  });

  test('names the tasks of a thread that no function awaits for, as of one that spins', () => {
    const task = (id: string) => ({ id, handler: 'spin', attempt: 1, ageMs: 12_000 });
    const spins = thread(1, { state: 'running', stack: [{ name: 'spin', place: null }], tasks: [task('a')] });
    expect(rendered([spins])).toContain(
      '(120ms predicted)\n  runs task "a" (handler spin, attempt 1, 12s)\n  at spin\n',
    );
    const waits = thread(1, {
      awaits: [branch('f', { tasks: [task('a')] })],
      tasks: [task('a'), task('b')],
      suspended: 1,
    });
    expect(rendered([waits])).toContain('\n  runs task "b" (handler spin, attempt 1, 12s)\n  1 suspended function\n');
    expect(rendered([{ ...waits, tasks: [task('a')] }])).not.toContain('runs task');
  });

  test('tells of waiting threads that look alike once, and of others one by one', () => {
    const idle = (threadId: number, heapUsed: number) => thread(threadId, { heapUsed, hidden: 2 });
    const spins = (threadId: number) => thread(threadId, { state: 'running', stack: [{ name: 'spin', place: null }] });
    const text = rendered([
      thread(0, { handles: [handle('server')] }),
      ...numbered(7).map((_, index) => idle(index + 1, (index + 1) * 1024 ** 2)),
      ...numbered(7).map((_, index) => spins(index + 8)),
    ]);
    expect(text.split('\n').filter((line) => /^\S/.test(line))).toEqual([
      expect.stringContaining('process 4711'),
      'worker 8 runs spin; worker 9 runs spin; worker 10 runs spin; worker 11 runs spin; worker 12 runs spin; ' +
        'so do 2 more; main, worker 1, worker 2 and 5 more wait',
      'main  waiting, heap 5MB, paused 140ms (120ms predicted)',
      'worker 1, worker 2, worker 3 and 4 more  waiting, heap up to 7MB, paused up to 140ms (120ms predicted)',
      ...numbered(7).map((_, index) => `worker ${index + 8}  running, heap 5MB, paused 140ms (120ms predicted)`),
    ]);
  });

  test('is bounded in frames and handles, and says how to get the rest', () => {
    const busy = thread(0, {
      stack: numbered(100).map((name) => ({ name, place: null })),
      handles: numbered(2_000, 'socket').map((what) => handle(what)),
      suspended: 3,
      hidden: 3,
    });
    const short = renderInspection(inspection([busy]), { hint: '--all shows them' });
    expect(short).toContain('  at f14\n    … 85 more (--all shows them)\n');
    expect(short).toContain('    socket9\n    … 1,990 more (--all shows them)\n');
    expect(short).toContain('nothing awaited but 3 internal (--all shows them)\n');
    const whole = renderInspection(inspection([busy]), { all: true });
    expect(whole).toContain('at f99\n');
    expect(whole).toContain('socket1999\n');
    expect(whole).not.toContain('more');
  });

  test('tells sockets of many clients once for each address, and others one by one', () => {
    const socket = (peer: string, fields: Partial<Handle> = {}) =>
      handle(`socket to ${peer}`, { kind: 'socket', ...fields });
    const handles = [
      ...numbered(40, '').map((port) => socket(`10.0.0.1:5${port}`)),
      socket('10.0.0.2:1'),
      socket('10.0.0.2:2'),
      socket('10.0.0.1:5432', { count: 6 }),
      handle('server on 10.0.0.1:1', { kind: 'server' }),
      handle('server on 10.0.0.1:2', { kind: 'server' }),
      handle('server on 10.0.0.1:3', { kind: 'server' }),
    ];
    expect(
      rendered([thread(0, { handles })])
        .split('open handles\n')[1]!
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      'socket to 10.0.0.1:* ×40',
      'socket to 10.0.0.2:1',
      'socket to 10.0.0.2:2',
      'socket to 10.0.0.1:5432 ×6',
      'server on 10.0.0.1:1',
      'server on 10.0.0.1:2',
      'server on 10.0.0.1:3',
      '',
    ]);
    expect(renderInspection(inspection([thread(0, { handles })]), { all: true })).toContain('socket to 10.0.0.1:539\n');
  });

  test('tells places from the working directory, unless that is no shorter, or they are no files', () => {
    const place = (file: string) => tree([branch('f', { at: { file, line: 2, column: 3 } })])[0];
    expect(place(resolve('a/b.js'))).toBe('└─ f  a/b.js:2:3');
    expect(place('/x.js')).toBe('└─ f  /x.js:2:3');
    expect(place('node:internal/timers')).toBe('└─ f  node:internal/timers:2:3');
  });

  test('holds nothing that steers a terminal but its own colours, whatever the process has named', () => {
    const evil = fc.constantFrom('\u001b[2J', '\u0007', '\r', '\n', '\u009b31m', '\u007f', 'x');
    const text = fc.array(evil, { maxLength: 4 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(text, { minLength: 12, maxLength: 12 }), (texts) => {
        const [a, b, c, d, e, f, g, h, i, j, k, l] = texts as [string, ...string[]];
        const evils = inspection(
          [
            thread(1, {
              name: a,
              state: 'running',
              stack: [{ name: b!, place: { file: `/${c}`, line: 1, column: 1 } }],
              awaits: [
                branch(d!, {
                  at: { file: `/${e}`, line: 1, column: 1 },
                  leaves: [leaf(f!)],
                  tasks: [{ id: g!, handler: h!, attempt: 1, ageMs: 1 }],
                }),
              ],
              handles: [handle(i!)],
              notes: [j!],
            }),
            thread(2, { state: 'blocked', blockedIn: k! }),
          ],
          { command: l!, node: a, notes: [b!] },
        );
        const colored = renderInspection(evils, { paint: painter(true) });
        expect(stripVTControlCharacters(colored)).toBe(renderInspection(evils, {}));
        // eslint-disable-next-line no-control-regex -- these are what it is about
        expect(renderInspection(evils, {})).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe('the lines of an await tree', () => {
  test('fold a function that awaits itself again and again, however deep', () => {
    let deep = branch('walk', { leaves: [leaf('file operation')] });
    for (let depth = 1; depth < 100_000; depth++) deep = branch('walk', { children: [deep] });
    expect(tree([deep])).toEqual(['└─ walk  walk.js:1:1  (100,000 deep)', '   └─ file operation']);
  });

  test('go straight down before they leave the screen, and keep both ends of a long chain', () => {
    const lines = tree([chain(numbered(1_000), { leaves: [leaf('timer')] })]);
    expect(lines.slice(0, 9)).toEqual(
      numbered(9).map(
        (name, depth) =>
          `${'   '.repeat(Math.min(depth, 7))}${depth < 8 ? '└─' : ' '.repeat(3) + '↳'} ${name}  ${name}.js:1:1`,
      ),
    );
    expect(lines).toHaveLength(30);
    expect(lines[15]).toMatch(/↳ ⋮ 972 more$/);
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/↳ f999 {2}f999.js:1:1$/),
      expect.stringMatching(/↳ timer$/),
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(60);
    expect(tree([chain(numbered(1_000), {})], { all: true })).toHaveLength(1_000);
  });

  test('show the whole way of some rather than the first step of all', () => {
    const roots = numbered(500).map((name) => chain([name, 'fetch'], { leaves: [leaf('socket')] }));
    const lines = tree(roots, { hint: '--all shows them' });
    expect(lines.slice(0, 3)).toEqual(['├─ f0  f0.js:1:1', '│  └─ fetch  fetch.js:1:1', '│     └─ socket']);
    expect(lines.filter((line) => line.endsWith('socket'))).toHaveLength(20);
    expect(lines.at(-1)).toBe('└─ … 960 more suspended functions (--all shows them)');
    const many = tree([branch('f', { leaves: numbered(500).map((what) => leaf(what)) })]);
    expect(many.at(-1)).toBe('   └─ … 480 more');
  });

  test('give the room that one branch does not need to those behind it', () => {
    const wide = (name: string) => branch(name, { children: numbered(60).map((child) => branch(child)) });
    const one = tree([branch('small'), wide('wide')]);
    const two = tree([wide('first'), wide('second')]);
    expect(one.length).toBeGreaterThan(15);
    for (const name of ['first', 'second']) expect(two.some((line) => line.includes(name))).toBe(true);
  });

  test.each(numbered(20, '').map((width) => Number(width) + 2))(
    'fit on a screen where each function is awaited by %i, and so on',
    (width) => {
      let level: AwaitBranch[] = [branch('f', { leaves: [leaf('timer')] })];
      for (let size = width; size < 5_000; size *= width) {
        level = Array.from({ length: width }, () => branch('f', { children: level }));
        const lines = tree(level);
        expect(lines.length).toBeLessThanOrEqual(100);
        expectWellDrawn(lines);
        // All is shown, or something says that it is not.
        const leaves = lines.filter((line) => line.includes('timer')).length;
        expect(leaves === size ? lines.join('').includes('…') : !lines.join('').includes('…')).toBe(false);
      }
    },
  );

  test('leave out forks that would stand too far to the right', () => {
    let forks = branch('f0');
    for (let depth = 1; depth < 60; depth++) forks = branch(`f${depth}`, { children: [branch('side'), forks] });
    const lines = tree([forks]);
    expect(lines).toHaveLength(32);
    expect(lines.at(-1)).toBe(`${'   '.repeat(16)}└─ … 88 more suspended functions`);
  });

  test('count what was left out of a chain before', () => {
    const forks = numbered(30).map((name) => branch(name, { children: [branch('x'), branch('y')], omitted: 1_000 }));
    const lines = tree(forks);
    expect(lines[0]).toBe('├─ f0  f0.js:1:1  (1,000 more in between)');
    expect(lines.at(-1)).toBe('└─ … 10,030 more suspended functions');
  });

  test('never exceed what a screen can bear, and lose no function: it is shown or counted', () => {
    // Each function is awaited by one before it: by any, so that trees are wide, or by one of the last, so that they are deep.
    const one = fc.record({
      above: fc.nat(),
      near: fc.boolean(),
      count: fc.integer({ min: 1, max: 3 }),
      ends: fc.boolean(),
    });
    const roots = fc.array(one, { maxLength: 300, size: 'max' }).map((given) => {
      const tops: AwaitBranch[] = [];
      const all: AwaitBranch[] = [];
      for (const { above, near, count, ends } of given) {
        const next = branch('f', { count, leaves: ends ? [leaf('timer')] : [] });
        const reach = near ? 3 : all.length + 1;
        (all[all.length - 1 - (above % reach)]?.children ?? tops).push(next);
        all.push(next);
      }
      return tops;
    });
    fc.assert(
      fc.property(roots, (branches) => {
        const lines = tree(branches);
        expect(lines.length).toBeLessThanOrEqual(100);
        expectWellDrawn(lines);
        const whole = tree(branches, { all: true });
        expect(whole.length).toBeGreaterThanOrEqual(lines.length);
        expect(functionsIn(whole)).toBe(total(branches));
        expect(whole.join('')).not.toContain('…');
        expectWellDrawn(whole);
        if (!lines.some((line) => /⋮| …/.test(line))) expect(lines).toEqual(whole);
        else if (lines.every((line) => !/⋮| {2}…$/.test(line))) expect(functionsIn(lines)).toBe(total(branches));
      }),
      { numRuns: runs(50) },
    );
  });
});

/** Each line that goes on downwards comes to an end, in the same column; and an end is one. */
function expectWellDrawn(lines: readonly string[]): void {
  lines.forEach((line, index) => {
    for (const { index: column } of line.matchAll(/[│├]/g)) {
      expect('│├└', lines.slice(index, index + 2).join('\n')).toContain(lines[index + 1]?.[column] ?? 'nothing');
    }
    const next = lines[index + 1]?.[line.indexOf('└')];
    expect(next === '├' || next === '└', lines.slice(index, index + 2).join('\n')).toBe(false);
  });
}

function total(branches: readonly AwaitBranch[]): number {
  return branches.reduce((sum, { count, children }) => sum + count + total(children), 0);
}

/** Functions that lines tell of: by name with their count, or as left out. */
function functionsIn(lines: readonly string[]): number {
  return lines.reduce((sum, line) => {
    const more = /… ([\d,]+) more suspended/.exec(line)?.[1];
    if (more !== undefined) return sum + Number(more.replaceAll(',', ''));
    const shown = /[─↳] f( ×(\d))? .*?(?:\((\d+) deep\))?$/.exec(line);
    return shown === null ? sum : sum + Number(shown[2] ?? 1) * Number(shown[3] ?? 1);
  }, 0);
}
