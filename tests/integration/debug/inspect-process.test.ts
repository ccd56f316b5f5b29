import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inspectProcess } from '../../../dist/debug/inspect-process.js';
import type { Inspection, ThreadInspection } from '../../../dist/debug/inspection.js';
import { listenersOf } from '../../../dist/debug/process/listeners.js';
import { longTest } from '../../support/long.js';
import { onEveryNode } from '../../support/node-versions.js';
import { outlineOf, placeText } from '../../support/outline.js';
import { startTarget } from '../../support/target.js';
import { tempDir } from '../../support/temp-dir.js';

const portsOf = (pid: number) => listenersOf(pid).map(({ port }) => port);
const stackOf = ({ stack }: ThreadInspection) => stack.map(({ name, place }) => `${name} ${placeText(place)}`);
const threadOf = (inspection: Inspection, name: string) => inspection.threads.find((thread) => thread.name === name)!;

await onEveryNode('each thread of a process is told with what it does and what it awaits', async ({ path }) => {
  const target = await startTarget('stuck.mjs', ['waits', 'spins', 'sleeps', 'blocks'], { node: path });
  const inspection = await inspectProcess(target.pid);

  expect(inspection).toMatchObject({ schema: 1, pid: target.pid, notes: [] });
  expect(inspection.command).toContain('stuck.mjs waits spins sleeps blocks');
  expect(inspection.threads.map(({ name, state, view }) => [name, state, view])).toEqual([
    ['main', 'waiting', 'whole'],
    ['waits', 'waiting', 'whole'],
    ['spins', 'running', 'whole'],
    ['sleeps', 'blocked', 'whole'],
    ['blocks', 'blocked', 'cheap'],
  ]);
  expect(outlineOf(threadOf(inspection, 'waits'))).toEqual([
    'waits stuck.mjs:10:5',
    '  Promise.all > readAll stuck.mjs:30:3 x2',
    '    timer, due in … x2',
  ]);
  expect(stackOf(threadOf(inspection, 'spins'))).toEqual(['spin stuck.mjs:14:7', 'Timeout.outer stuck.mjs:17:7']);
  expect(stackOf(threadOf(inspection, 'sleeps'))[0]).toBe('Atomics.wait ?');
  expect(threadOf(inspection, 'sleeps').blockedIn).toBe('Atomics.wait');
  expect(threadOf(inspection, 'blocks').notes).toEqual([expect.stringContaining('native code')]);
  for (const { pause, view } of inspection.threads) {
    expect(pause.predictedMs === null).toBe(view === 'cheap');
    expect(pause.measuredMs === null).toBe(view === 'cheap');
  }
});

await onEveryNode('a main thread that spins is shown at its line, and its workers as well', async ({ path }) => {
  const target = await startTarget('stuck.mjs', ['waits'], { node: path, env: { MAIN: 'spins' } });
  const inspection = await inspectProcess(target.pid);
  expect(stackOf(threadOf(inspection, 'main'))).toEqual(['spin stuck.mjs:14:7', 'Timeout.outer stuck.mjs:17:7']);
  expect(outlineOf(threadOf(inspection, 'waits'))[0]).toBe('waits stuck.mjs:10:5');
  expect(portsOf(target.pid)).toEqual([Number(target.said)]);
});

describe('a look', () => {
  test('names the peer of a socket that is waited for, and what is open', async () => {
    const target = await startTarget('stuck.mjs');
    const main = threadOf(await inspectProcess(target.pid), 'main');
    const peer = `127.0.0.1:${target.said}`;
    expect(outlineOf(main)).toEqual([
      'asks stuck.mjs:35:3',
      `  adopted > socket to ${peer}, for "data"`,
      'reads stuck.mjs:39:20',
      `  socket to ${peer}, for "readable"`,
    ]);
    expect(main.awaits[0]!.leaves[0]).toMatchObject({ kind: 'socket', peer, event: 'data' });
    expect(main.handles).toContainEqual({ kind: 'server', count: 1, what: `server on ${peer}`, keepsAlive: true });
    expect(main.handles).toContainEqual({ kind: 'socket', count: 2, what: `socket to ${peer}`, keepsAlive: true });
  });

  test('shows an async loop that never yields at its line, though it is mostly met between two steps', async () => {
    const target = await startTarget('stuck.mjs', ['starves'], { env: { MAIN: 'starves' } });
    const inspection = await inspectProcess(target.pid);
    for (const thread of inspection.threads) {
      expect([thread.name, thread.state]).toEqual([thread.name, 'running']);
      // At a step, or as what goes on next.
      expect([...stackOf(thread), ...outlineOf(thread)].join('\n')).toMatch(/ stuck\.mjs:4[2-9]:/);
    }
    const worker = { kind: 'worker thread', count: 1, what: 'worker thread 1 (starves)', keepsAlive: true };
    expect(threadOf(inspection, 'main').handles).toContainEqual(worker);
  });

  test('leaves the process as it was, and can be had again', async () => {
    const folder = tempDir();
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const target = await startTarget('stuck.mjs', ['waits']);
    const ports = portsOf(target.pid);
    const [first, second] = [await inspectProcess(target.pid), await inspectProcess(target.pid)];
    expect(second.threads.map(outlineOf)).toEqual(first.threads.map(outlineOf));
    expect(second.threads.map(({ handles }) => handles)).toEqual(first.threads.map(({ handles }) => handles));
    expect(portsOf(target.pid)).toEqual(ports);
    expect(readdirSync(folder).filter((name) => name.startsWith('holdfast-inspect-'))).toEqual([]);
  });

  test('makes no thread stand for longer than is allowed, and says what that costs', async () => {
    const target = await startTarget('stuck.mjs', ['waits', 'spins']);
    const notes: string[] = [];
    const inspection = await inspectProcess(target.pid, { maxPauseMs: 1, onNote: (note) => notes.push(note) });
    for (const thread of inspection.threads) {
      expect(thread).toMatchObject({ view: 'cheap', awaits: [], suspended: null, pause: { measuredMs: null } });
      expect(thread.pause.predictedMs).toBeGreaterThan(1);
      expect(thread.notes).toEqual([
        expect.stringMatching(/^what it awaits is not known: .* for about .*, and 1ms are allowed$/),
      ]);
    }
    expect(stackOf(threadOf(inspection, 'spins'))).toEqual(['spin stuck.mjs:14:7', 'Timeout.outer stuck.mjs:17:7']);
    expect(threadOf(inspection, 'main').handles.map(({ kind }) => kind)).toContain('server');
    expect(notes).toEqual([]);
  });

  longTest('says the pause of each thread before it is made', async () => {
    const target = await startTarget('stuck.mjs', ['waits']);
    const notes: string[] = [];
    await inspectProcess(target.pid, { onNote: (note) => notes.push(note) });
    expect(notes).toEqual(
      ['main', 'waits'].map((name) => expect.stringMatching(`^${name} is paused for about [\\d.]+m?s`)),
    );
  });

  test('shows internals of Node when all is asked for', async () => {
    const target = await startTarget('stuck.mjs');
    const [some, all] = [await inspectProcess(target.pid), await inspectProcess(target.pid, { all: true })];
    const text = (inspection: Inspection) => JSON.stringify(threadOf(inspection, 'main').awaits);
    expect(text(some)).not.toContain('"node:');
    expect(text(all)).toContain('"node:');
    expect(threadOf(all, 'main').hidden).toBe(0);
  });

  test('shows places in the source where a source map tells them', async () => {
    const target = await startTarget('stuck-typed.ts', [], { nodeOptions: ['--inspect-port=0', '--import', 'tsx'] });
    const main = threadOf(await inspectProcess(target.pid), 'main');
    expect(outlineOf(main).join('\n')).toContain('waitsLong stuck-typed.ts:');
    const line = readFileSync(new URL('../../fixtures/stuck-typed.ts', import.meta.url), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('await'));
    expect(main.awaits.find(({ name }) => name === 'waitsLong')!.at).toMatchObject({ line: line + 1 });
  });
});
