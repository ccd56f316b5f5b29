import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { HooksSnapshot } from '../../../../dist/debug/inspection.js';
import { program } from '../../../support/program.js';
import { tempDir } from '../../../support/temp-dir.js';

const HOOKED = fileURLToPath(new URL('../../../fixtures/hooked.mjs', import.meta.url));
const HOOKS = fileURLToPath(new URL('../../../../dist/debug/hooks/hooks.js', import.meta.url));

/** Runs a program with hooks; `say(snapshot)` tells what they have, without what Node makes itself. */
async function withHooks(text: string, nodeOptions: string[] = []): Promise<unknown[]> {
  const { said, stderr, code } = await program(
    `import { startHooks } from ${JSON.stringify(HOOKS)};
     const held = (globalThis.held = []);
     const turn = () => new Promise((resolve) => setImmediate(resolve));
     let hooks = startHooks();
     // With time for stacks as at the beginning, whatever the machine was busy with.
     const afresh = () => { hooks.stop(); hooks = startHooks(); };
     const made = (name) => hooks.snapshot().sites.flatMap(({ type, stack, count, oldestAgeMs }) =>
       stack?.some((frame) => frame.name === name) ? [{ type, top: stack[0].name, place: stack[0].place, count, oldestAgeMs }] : []);
     ${text}
     process.exit(0);`,
    { nodeOptions },
  );
  expect([code, stderr]).toEqual([0, '']);
  return said;
}

test('a pending promise is there with its place and age; once it is settled it is gone', async () => {
  const [pending, settled] = (await withHooks(`
    let resolve;
    const before = performance.now();
    function waits() { held.push(new Promise((now) => (resolve = now))); }
    waits();
    const after = performance.now();
    await turn();
    const [since, [site]] = [performance.now(), made('waits')];
    say({ ...site, isExact: site.oldestAgeMs >= since - after && site.oldestAgeMs <= performance.now() - before });
    resolve();
    await turn();
    say(made('waits'));`)) as [{ place: { file: string; line: number } }, unknown];
  expect(pending).toMatchObject({ type: 'PROMISE', top: 'waits', count: 1, isExact: true });
  expect(pending.place.file).toMatch(/program\.mjs$/);
  expect(settled).toEqual([]);
});

test('a promise that nobody can settle is collected as ever, and then it is gone from the account', async () => {
  const said = await withHooks(
    `function forgets() { new Promise(() => {}); }
    function keeps() { held.push(new Promise(() => {})); }
    for (let i = 0; i < 20; i++) { forgets(); keeps(); }
    say([made('forgets')[0].count, made('keeps')[0].count]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    gc();
    say([made('forgets'), made('keeps')[0].count]);`,
    ['--expose-gc'],
  );
  expect(said).toEqual([
    [20, 20],
    [[], 20],
  ]);
});

test('a server, a request and a timer are there as long as they live, collected or not', async () => {
  const said = await withHooks(`
    import { createServer } from 'node:net';
    import { once } from 'node:events';
    import { stat } from 'node:fs';
    const types = (name) => made(name).map(({ type }) => type).filter((type) => type !== 'PROMISE').sort();
    function opens() { held.push(createServer().listen(0), setTimeout(() => {}, 1e6)); }
    opens();
    await once(held[0], 'listening');
    const asked = new Promise((resolve) => { (function asks() { stat('.', resolve); held.push(types('asks')); })(); });
    say([held[2], types('opens')]);
    await asked;
    held[0].close();
    clearTimeout(held[1]);
    await once(held[0], 'close');
    while (types('opens').length > 0) await turn();
    say(types('asks'));`);
  expect(said).toEqual([[['FSREQCALLBACK'], ['TCPSERVERWRAP', 'Timeout']], []]);
});

test('whatever a program has done to Error, it is neither called nor changed; where Error is frozen, there are no stacks', async () => {
  const said = await withHooks(`
    const own = () => { throw new Error('called'); };
    Error.prepareStackTrace = own;
    function waits() { held.push(new Promise(() => {})); }
    waits();
    say([made('waits').length, Error.prepareStackTrace === own, Error.stackTraceLimit]);
    delete Error.prepareStackTrace;
    Object.freeze(Error);
    function late() { held.push(new Promise(() => {})); }
    late();
    say([made('late').length, hooks.snapshot().sites.some(({ stack, type }) => stack === null && type === 'PROMISE')]);`);
  expect(said).toEqual([
    [1, true, 10],
    [0, true],
  ]);
});

test('there is one account in a thread: it can be asked for from outside, until it is stopped', async () => {
  const said = (await withHooks(`
    const asked = () => globalThis[Symbol.for('holdfast.hooks')]?.();
    say([startHooks() === hooks, Object.keys(JSON.parse(asked())).sort(), Object.keys(globalThis).length]);
    hooks.stop();
    say([asked() === undefined, hooks.snapshot().recorded]);
    await turn();
    say(hooks.snapshot().recorded);
    say(startHooks() !== hooks);`)) as [[boolean, string[]], [boolean, number], number, boolean];
  expect(said[0].slice(0, 2)).toEqual([true, ['dropped', 'live', 'recorded', 'sampledOneIn', 'sites', 'untold']]);
  expect(said[1]).toEqual([true, said[2]]);
  expect(said[3]).toBe(true);
});

test('places are those of the source, where Node knows it', async () => {
  const map = {
    version: 3,
    sources: ['file:///src/original.ts', 'webpack://app/other.ts'],
    names: [],
    // Line 1 of the code is line 10 of the first source, line 2 is line 1 of the second.
    mappings: 'AASA;ACTA',
  };
  // In two pieces, as vitest would take it for the map of this file.
  const comment = [
    '//# source',
    `MappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`,
  ].join('');
  const path = join(tempDir(), 'mapped.mjs');
  const lines = ['waits', 'others'].map((name) => `export const ${name} = () => held.push(new Promise(() => {}));`);
  writeFileSync(path, [...lines, comment].join('\n'));
  const said = await withHooks(
    `const { waits, others } = await import(${JSON.stringify(path)});
    afresh();
    waits();
    others();
    function plain() { held.push(new Promise(() => {})); }
    plain();
    say([made('waits')[0].place, made('others')[0].place, made('plain')[0].place.file.slice(-11)]);`,
    ['--enable-source-maps'],
  );
  expect(said).toEqual([
    [
      { file: '/src/original.ts', line: 10, column: 1 },
      { file: 'webpack://app/other.ts', line: 1, column: 1 },
      'program.mjs',
    ],
  ]);
});

test('with ASYNC_DEBUG=hooks each thread of the pool keeps account of its tasks; else none does', async () => {
  // In a process of its own: Node has ended under it, once in many hundred times.
  const { said, stderr, code, signal } = await program(`
    const accountOf = async (mode) => {
      process.env.ASYNC_DEBUG = mode;
      const executor = await open({ runId: mode, handlers: ${JSON.stringify(HOOKED)}, concurrency: 20, durable: false, grace: 100 });
      // So many that some have their stack, however slow the machine is just now.
      for (let i = 0; i < 15; i++) executor.submit('waits', i).catch(() => {});
      say((await executor.submit('account', null)) ?? null);
      await executor.stop({ force: true });
    };
    await accountOf('Hooks');
    await accountOf('1');`);
  expect([code, signal, stderr]).toEqual([0, null, '']);
  const [hooked, plain] = said as [string, null];
  const { sites } = JSON.parse(hooked) as HooksSnapshot;
  expect(sites).toContainEqual(
    expect.objectContaining({
      type: 'PROMISE',
      stack: [{ name: 'waits', place: { file: HOOKED, line: 3, column: 10 } }],
    }),
  );
  expect(plain).toBeNull();
});
