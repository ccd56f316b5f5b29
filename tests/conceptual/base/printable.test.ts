/** Whatever others wrote steers no terminal, whichever way of output it takes. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../../dist/cli/config/config.js';
import { painter } from '../../../dist/cli/screen/color.js';
import { formatReport } from '../../../dist/cli/dry-run/dry-run-report.js';
import { errorText } from '../../../dist/cli/exit-code.js';
import { lockTable } from '../../../dist/cli/runs/lock.js';
import { createLog } from '../../../dist/cli/screen/log.js';
import { outcomeLine } from '../../../dist/cli/screen/outcome-line.js';
import { checkpointLine, conditionLines } from '../../../dist/cli/smoke/smoke-lines.js';
import { printedText, printerText } from '../../../dist/cli/runs/logs/printed-text.js';
import { statusPage, statusTable } from '../../../dist/cli/runs/status.js';
import { drawRun, drawRuns } from '../../../dist/cli/runs/watch/draw-view.js';
import type { RunView } from '../../../dist/runs/see-run.js';
import { formatSummary } from '../../../dist/cli/run/job/summary.js';
import { pendingText } from '../../../dist/debug/pending/pending-text.js';
import { renderInspection } from '../../../dist/debug/render/render-inspection.js';
import { preamble } from '../../../dist/debug/trace/dump-text.js';
import type { Inspection } from '../../../dist/index.js';
import { HoldfastError, InvalidInputError } from '../../../dist/base/errors.js';
import { inShell } from '../../../dist/base/in-shell.js';
import { printable, printableJson, printableLines, printableWord } from '../../../dist/base/printable.js';
import { runs } from '../../support/runs.js';

/** All that may steer a terminal, but for the newline; bidirectional overrides let a name read as another one. */
const STEERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const OUR_COLORS = /\u001b\[(0|2|31|32|33|36)m/g;

const nasty = fc.constantFrom(
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cm0=\u0007',
  '\u009b31m',
  '\u0085',
  '\r',
  '\b',
  '\t',
  '\n',
  '\u0000',
  '\u007f',
  '\u202etxt.exe',
  '\u2066',
  '\u2028',
  '"',
  "'",
  '\\',
);
const text = fc
  .array(fc.oneof(nasty, fc.string({ maxLength: 8, unit: 'binary' })), { maxLength: 6 })
  .map((parts) => parts.join(''));

const counts = { queued: 1, delayed: 0, running: 1, done: 1, failed: 1, crashed: 0, 'timed-out': 0, cancelled: 0 };

const ways: Record<string, (t: () => string, paint: ReturnType<typeof painter>, color: boolean) => string> = {
  'an error, its faults and its hint': (t) => {
    const faults = [{ where: t(), problem: t() }];
    return (
      errorText(new HoldfastError('ERR_STATE_DIR', t(), { hint: t() })) +
      errorText(new InvalidInputError('ERR_INVALID_TASK', t(), faults, { hint: t() }))
    );
  },
  'a bug': (t) => errorText(new Error(t())) + errorText(t()),
  'the summary': (t, _, color) => {
    const error = { name: t(), message: t(), stuckAt: t() };
    const failure = { id: t(), handler: t(), state: 'failed', attempts: 1, crashes: 0, error } as const;
    const failures = [{ ...failure, input: JSON.stringify(t()), startedAt: 1, durationMs: 1, thread: 1 }];
    const run = { runId: 'r', absent: 0, before: 0, elapsedMs: 1, taskMs: undefined, busy: 0, threads: 1, crashes: 0 };
    return formatSummary(
      { ...run, counts: { ...counts, failed: 9 }, restarts: 0, failures },
      { color, dir: `/tmp/${t()}`, outlivesProcess: true, whole: true, fresh: false },
    );
  },
  'a view that is watched': (t, paint) => {
    const task = { id: t(), handler: t(), input: JSON.stringify(t()), forMs: 1 };
    const threads = [
      { number: 1, state: 'busy' as const, tasksDone: 1, running: [task, { ...task, id: '0'.repeat(16) }] },
    ];
    const troubles = (['unseen', 'unhealthy', 'failed', 'last-error'] as const).map((kind) => ({
      ...{ kind, message: t(), ageMs: 1 },
    }));
    const run = {
      ...{ runId: 'r', state: 'running' as const, tasks: null, pace: null, nextDueMs: null, heartbeat: null },
      ...{ holder: { pid: 1, hostname: t(), since: t() }, threads, lastSeen: null, troubles },
    };
    return [
      ...drawRun(run, 80, paint),
      ...drawRuns({ at: 1, root: t(), runs: [run] }, paint),
      ...drawRuns({ at: 1, root: t(), runs: [] }, paint),
    ].join('\n');
  },
  'what a task printed, and who it was': (t) => {
    const line = { at: 1, thread: 1, stream: 'log' as const, by: [[t(), 2] as [string, number]], text: t() };
    const fields = { [t()]: t() };
    return `${printerText(line)} ${printerText({ ...line, others: 2 })} ${printedText({ ...line, level: 'info', fields }, true)}`;
  },
  'the status': (t, paint) => {
    const task = { id: t(), handler: t(), since: 1 };
    const health = { lastBeat: null, missedBeats: 0, why: t(), lastError: { at: 1, source: 'queue', message: t() } };
    const line = { ...task, id: '0123456789abcdef', input: JSON.stringify(t()) };
    const thread = { number: 1, state: 'busy', running: [task, line], lastBeat: null, tasksDone: 1, heapUsed: 1 };
    const executor = { mode: 'running', counts, threads: [thread], health, error: { message: t() } };
    const holder = { pid: 1, hostname: t(), startedAt: t() };
    const base = { runId: 'r', state: 'running', counts, holder, lastSeen: null, problem: t() } as const;
    const snapshot = { state: 'running', updatedAt: 1, activity: { note: t() }, lastError: health.lastError };
    const silent = { ...base, executor: null, lastSeen: { snapshot, problems: [t()] } };
    return [{ ...base, executor }, silent, { ...base, executor: { ...executor, error: undefined } }]
      .map((run) => run as unknown as RunView)
      .map((run) => statusPage(run, paint) + statusTable([run], paint))
      .join('');
  },
  'a lock': (t) => {
    const holder = { executorId: t(), cwd: t(), startedAt: t() };
    return [true, false]
      .map((held) => lockTable({ runId: 'r', held, path: t(), holder } as unknown as Parameters<typeof lockTable>[0]))
      .join('');
  },
  'a look': (t, paint) => {
    const place = { file: t(), line: 1, column: 1 };
    const leaf = { kind: 'promise', count: 1, via: [], what: t(), heldAs: t() };
    const task = { id: t(), handler: t(), attempt: 1, ageMs: 1 };
    const branch = { name: t(), count: 1, at: place, definedAt: place, via: [], children: [], leaves: [leaf] };
    const thread = { threadId: 1, name: t(), stack: [{ name: t(), place }], heapUsed: 1, view: 'whole', hidden: 0 };
    const inspection = {
      ...{ schema: 1, takenAt: '2026-01-02T03:04:05.678Z', tookMs: 1, pid: 1, node: t(), command: t(), notes: [t()] },
      threads: (['waiting', 'running', 'blocked'] as const).map((state) => ({
        ...thread,
        ...{ state, blockedIn: t(), pause: { predictedMs: 1, measuredMs: 1 }, suspended: 1, notes: [t()] },
        awaits: [{ ...branch, circular: false, tasks: [task] }],
        handles: [{ kind: t(), count: 1, what: t(), keepsAlive: true }],
        tasks: [task],
      })),
    } as unknown as Inspection;
    const openStreams = [{ path: t(), unwrittenBytes: 1 }];
    const { awaits } = inspection.threads[0]!;
    const left = [{ label: 'thread 1', awaits, openStreams, hidden: 0, suspended: 1 }];
    return renderInspection(inspection, { paint, all: true }) + pendingText(left as never, paint);
  },
  'a trace log': (t) => preamble(t(), { intervalMs: 1, maxPauseMs: 1 }),
  'a smoke test': (t, paint) => {
    const result = { name: t(), expected: t(), actual: t(), severity: 'fail', durationMs: 1, ok: false };
    return (
      checkpointLine({ number: 1, text: t(), atMs: 1 }, paint) +
      conditionLines([result, { ...result, diagnostic: t() }] as Parameters<typeof conditionLines>[0], paint)
    );
  },
  'a dry run': (t, _, color) => {
    const report = {
      ...{ runId: 'r', pattern: 'steady', rate: 1, seed: 1, burstSize: null, count: 1, durationMs: null },
      ...{ stoppedBy: null, events: 0, outcomes: { done: 0, failed: 1 }, unfinished: 0, lost: 0, duplicates: 0 },
      ...{ byType: { [t()]: 1, [t()]: 2 }, perSecond: { planned: 1, actual: 1 }, elapsedMs: 1, latencyMs: null },
      ...{ arrivalLagMs: null, startLagMs: null, latencyHistogram: [] },
    };
    return formatReport(report as unknown as Parameters<typeof formatReport>[0], {
      color,
      dir: t(),
      outlivesProcess: true,
    });
  },
  'the settings of a config file': (t) => settingsTable({ [t()]: t(), run: { [t()]: [t()] } }),
  'a line of results': (t) => {
    const error = { name: t(), message: t(), stack: t() };
    const outcome = { id: t(), handler: t(), attempts: 1, crashes: 0, startedAt: 1, durationMs: 1, thread: 1 };
    return (
      outcomeLine({ ...outcome, state: 'done', result: JSON.stringify(t()) }) +
      outcomeLine({ ...outcome, state: 'failed', error })
    );
  },
};

/** Pieces of text, one after the other, over and over. */
function pieces(texts: readonly string[]): () => string {
  let next = 0;
  return () => texts[next++ % texts.length]!;
}

describe.each(Object.entries(ways))('%s', (_, way) => {
  test.each([false, true])('holds nothing of others that steers a terminal; colours: %s', (color) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
        const shown = way(pieces(texts), painter(color), color);
        expect(color ? shown.replace(OUR_COLORS, '') : shown).not.toMatch(STEERS);
      }),
      { numRuns: runs(100) },
    );
  });
});

/** What is written to a terminal, or to a pipe. */
function screen(isTTY: boolean) {
  const written: string[] = [];
  return { stream: { isTTY, columns: 80, write: (text: string) => written.push(text) }, written };
}

test.each([true, false])('what handlers log holds nothing that steers; on a terminal: %s', (isTTY) => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
      const t = pieces(texts);
      const { stream, written } = screen(isTTY);
      const log = createLog({ stream, quiet: false, color: false });
      log.info({ task: t(), thread: 1, [t()]: t(), deep: { [t()]: [t()] } }, t());
      log.error({ err: new Error(t()) }, t());
      expect(written.length).toBe(2);
      for (const line of written) expect(line).not.toMatch(STEERS);
      if (!isTTY) for (const line of written) expect(line.trimEnd()).not.toContain('\n');
    }),
    { numRuns: runs(50) },
  );
});

describe('a text of others', () => {
  test('is escaped, so that one sees what is there', () => {
    expect(printable('a\u001b[2J\u009bb\u202e\tc')).toBe('a\\u001b[2J\\u009bb\\u202e\\u0009c');
    expect(printable('first\nsecond')).toBe('first');
    expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(199)}…`);
    expect(printableLines('a\r\nb')).toBe('a\\u000d\nb');
    expect(printableLines('plain, größer, 日本, 👍🏽')).toBe('plain, größer, 日本, 👍🏽');
  });

  test('as JSON still means the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), text, (value, more) => {
        const document = { value, [more]: more };
        expect(JSON.parse(printableLines(JSON.stringify(document)))).toEqual(
          JSON.parse(JSON.stringify(document)) as unknown,
        );
      }),
      { numRuns: runs(200) },
    );
  });

  test('as lines of JSON is the same by the short way', () => {
    const lines = fc
      .array(fc.oneof(fc.jsonValue(), text, fc.constant('DEL \u007f')))
      .map((values) => values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    fc.assert(
      fc.property(lines, (given) => {
        expect(printableJson(given)).toBe(printableLines(given));
      }),
      { numRuns: runs(200) },
    );
  });

  test('as a word of a shell is that word, whatever is in it', () => {
    // Without what no argument of a process may hold.
    const word = text.map((given) => Buffer.from(given.replaceAll('\0', 'x')).toString());
    const words = fc.array(word, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(words, (given) => {
        const line = given.map(inShell).join(' ');
        expect(printableWord(line)).toBe(line);
        const read = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${line}`], {
          env: { LC_ALL: 'C.UTF-8' },
          stdio: ['ignore', 'pipe', 'inherit'],
        }).toString();
        expect(read.split('\0').slice(0, -1)).toEqual(given);
      }),
      { numRuns: runs(20) },
    );
  });
});
