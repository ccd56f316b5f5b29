import { describe, expect, test } from 'vitest';
import { dumpText, preamble } from '../../../../dist/debug/trace/dump-text.js';
import type { Dump } from '../../../../dist/debug/trace/dump.js';
import type { ThreadInspection } from '../../../../dist/debug/inspection.js';
import { branch, inspectionAt, threadWith } from '../../../support/inspections.js';

const AT = { file: '/app/work.js', line: 5, column: 3 };
const SINCE = '1970-01-01T00:00:10.000Z';
const stands = { threadId: 0, path: ['serve', 'read'], at: AT, since: SINCE, ageMs: 40_000, count: 1, atLeast: 1 };
const grows = { threadId: 0, path: ['socket'], at: null, counts: [1, 2, 4], since: SINCE, forMs: 20_000 };

const CHEAP: Partial<ThreadInspection> = {
  view: 'cheap',
  pause: { predictedMs: 900, measuredMs: null },
  suspended: null,
};

function textOf(changes: Partial<Dump> = {}): string {
  const inspection = inspectionAt(50, threadWith([branch('serve', { children: [branch('read')] })]));
  return dumpText({
    number: 3,
    why: 'interval',
    maxPauseMs: 250,
    inspection,
    standing: [],
    growing: [],
    unwritten: undefined,
    ...changes,
  });
}

const lineWith = (text: string, word: string) =>
  text
    .split('\n')
    .find((line) => line.includes(word))
    ?.trim();

describe('a dump in words', () => {
  test('has a headline with its number, time, reason, how much is suspended, and the longest pause', () => {
    expect(lineWith(textOf(), 'dump 3')).toBe(
      'dump 3 · 1970-01-01T00:00:50.000Z · interval · 2 suspended functions in 1 thread · longest pause 12ms',
    );
  });

  test('counts what is shown, and says where nothing was inspected', () => {
    const inspection = inspectionAt(
      50,
      threadWith([branch('read')], { suspended: 10, hidden: 9 }),
      threadWith([], CHEAP),
    );
    expect(lineWith(textOf({ inspection, why: 'SIGUSR2' }), 'dump 3')).toBe(
      'dump 3 · 1970-01-01T00:00:50.000Z · on SIGUSR2 · 1 suspended function in 1 thread · longest pause 12ms · ' +
        'what 1 thread awaited was not inspected: see the notes',
    );
  });

  test('does not count to 0 what nobody has counted', () => {
    const text = textOf({ inspection: inspectionAt(50, threadWith([], CHEAP)) });
    expect(lineWith(text, 'dump 3')).toBe(
      'dump 3 · 1970-01-01T00:00:50.000Z · interval · suspended functions unknown · nothing paused · ' +
        'what 1 thread awaited was not inspected: see the notes',
    );
    expect(text).not.toContain('nothing awaited');
  });

  test.each([
    [900, 'interval', 'ASYNC_DEBUG_MAX_PAUSE=2s shows it; so does kill -USR2 4711 while it runs'],
    [9_000, 'start', 'ASYNC_DEBUG_MAX_PAUSE=14s shows it'],
    [9_000, 'SIGUSR2', 'ASYNC_DEBUG_MAX_PAUSE=14s shows it'],
  ] as const)(
    'says by what setting a thread is seen that would stand for %d ms in a dump at the %s',
    (predictedMs, why, how) => {
      const thread = threadWith([], { ...CHEAP, pause: { predictedMs, measuredMs: null } });
      const maxPauseMs = why === 'SIGUSR2' ? 5_000 : 250;
      expect(textOf({ why, maxPauseMs, inspection: inspectionAt(50, thread) })).toContain(`\n    (${how})\n`);
    },
  );

  test('names no limit where it was not that which kept it from being seen', () => {
    for (const predictedMs of [200, null]) {
      const thread = threadWith([], { ...CHEAP, pause: { predictedMs, measuredMs: null } });
      expect(textOf({ inspection: inspectionAt(50, thread) })).not.toContain('ASYNC_DEBUG_MAX_PAUSE');
    }
  });

  test('the preamble tells how long threads may stand', () => {
    const of = (maxPauseMs: number) => preamble('app', { intervalMs: 10_000, maxPauseMs });
    expect(of(250)).toMatch(/longer than 250ms \(ASYNC_DEBUG_MAX_PAUSE\)\n.*, 5s in those that are asked for/);
    expect(of(60_000)).not.toContain('asked for');
  });

  test('shows the tree, without colours', () => {
    expect(lineWith(textOf(), 'read  ')).toMatch(/read {2}.*work\.js:5:3$/);
    // oxlint-disable-next-line no-control-regex
    expect(textOf({ standing: [stands], growing: [grows] })).not.toMatch(/\x1b/);
  });

  test.each([
    [stands, 'it or one like it'],
    [{ ...stands, count: 7, atLeast: 3 }, 'at least 3 each time'],
    [{ ...stands, task: { id: 'a', handler: 'work', attempt: 1, ageMs: 1 } }, 'with task "a"'],
  ])('of what still stands says since when, and no more than is known of it: %#', (standing, known) => {
    const times = standing.count === 1 ? '' : ' ×7';
    expect(textOf({ standing: [standing] })).toContain(
      `\nstill there\n  main: serve › read${times}  /app/work.js:5:3, still there since 00:00:10 (40s), ${known}\n`,
    );
  });

  test('of what grows says the numbers; of a long row the last ones', () => {
    expect(textOf({ growing: [grows] })).toContain(
      '\nprobable leaks: more at each dump\n  main: socket: 1, 2, 4 since 00:00:10 (20s)\n',
    );
    const counts = [1, 2, 3, 4, 5, 6, 7, 8_000];
    expect(lineWith(textOf({ growing: [{ ...grows, counts }] }), 'socket')).toBe(
      'main: socket: … 3, 4, 5, 6, 7, 8,000 since 00:00:10 (20s)',
    );
  });

  test('with hooks, tells for each thread who made what lives in it', () => {
    const hooks = { live: 2, recorded: 9, dropped: 0, sampledOneIn: 1, untold: 0 };
    const site = { type: 'PROMISE', stack: [{ name: 'wait', place: AT }], count: 2, oldestAgeMs: 5_000 };
    const inspection = inspectionAt(50, threadWith([], { hooks: { ...hooks, sites: [site] } }), threadWith([]));
    const text = textOf({ inspection });
    expect(text).toMatch(/\nmain: created: 2 resources live of 9.*\n  promise ×2, .*\n.*wait.*work\.js:5:3\n$/);
    expect(text.match(/created/g)).toHaveLength(1);
  });

  test('names at most twenty, and how many more there are', () => {
    const text = textOf({ standing: Array.from({ length: 25 }, () => stands) });
    expect(text.match(/still there since/g)).toHaveLength(20);
    expect(text).toContain('\n  … 5 more\n');
  });

  test('names of functions and tasks steer no terminal', () => {
    const named = { ...stands, path: ['\u001b[31mred'], task: { id: '\u001b[2J', handler: 'x', attempt: 1, ageMs: 1 } };
    // oxlint-disable-next-line no-control-regex
    expect(textOf({ standing: [named] }) + preamble('\u001b[2J', { intervalMs: 1_000, maxPauseMs: 250 })).not.toMatch(
      /\x1b/,
    );
  });
});
