/** `runtime smoke` as a user types it: its checkpoints, its exit codes, and what it leaves behind: nothing. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { place, type Place } from '../../../support/command.js';
import { longTest, longTestAfter } from '../../../support/long.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

let here: Place;
/** Where the command puts its temporary folder. */
let temporary: string;

beforeEach(() => {
  here = place();
  temporary = tempDir();
});

const env = (more: Record<string, string> = {}) => ({ TMPDIR: temporary, BOOT_TIMEOUT_S: '', ...more });

/** Runs the command, and sees to it that no folder and no state is left. */
async function smoke(args: string[] = [], more: Record<string, string> = {}) {
  const ended = await here.runtime(['smoke', '--threads', '1', ...args], { env: env(more) });
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  return { ...ended, numbers: numbersOf(ended.stdout) };
}

function numbersOf(stdout: string): number[] {
  return [...stdout.matchAll(/^CHECKPOINT (\d)\/8: /gm)].map(([, number]) => Number(number));
}

/** A config file with this as its section `smoke`. */
const config = (smoke: string, before = '') =>
  here.write('runtime.config.mjs', `${before}\nexport default { smoke: ${smoke} };`);

/** A source that tells, by a file, that it is waited for, and then gives nothing. */
const SILENT = `async function* (signal) {
  writeFileSync('waiting', '');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}`;
const FS = "import { writeFileSync } from 'node:fs';";

describe('a boot that works', () => {
  test('passes seven of the eight checkpoints in their order, each with its time, and ends with 0', async () => {
    const { stdout, stderr, exitCode } = await smoke(['--threads', '2']);
    const time = String.raw` {2,}\+\d+ms`;
    const lines = [
      `CHECKPOINT 1/8: started${time}`,
      String.raw`CHECKPOINT 2/8: timeout configured \(8s\)${time}`,
      `CHECKPOINT 3/8: starting boot${time}`,
      `CHECKPOINT 4/8: waiting for first event or timeout${time}`,
      String.raw`CHECKPOINT 5/8: first event received \(event-\d, thread [12]\)${time}`,
      `CHECKPOINT 7/8: post-conditions PASSED${time}`,
      String.raw`  All post-conditions PASSED \(8 checks\)`,
      String.raw`  ok  lock held     \S+ +held by this process \(pid \d+\), and refused to another process`,
      String.raw`  ok  threads beat  \S+ +2 threads in \d beats?`,
      String.raw`  ok  events once   \S+ +6 events, each done, reported once, recorded once`,
      String.raw`  ok  health fresh  \S+ +valid, sequence \d+, \S+ old`,
      String.raw`  ok  queue apart   \S+ +none of the \d+ files that are open is of the queue`,
      String.raw`  ok  queue kept    \S+ +6 outcomes as reported`,
      String.raw`  ok  lock free     \S+ +free`,
      String.raw`  ok  nothing left  \S+ +none`,
      `CHECKPOINT 8/8: complete: SUCCESS${time}`,
      '',
    ];
    const found = stdout.split('\n');
    for (const [index, line] of lines.entries()) expect(found[index]).toMatch(new RegExp(`^${line}$`));
    expect(found).toHaveLength(lines.length);
    const times = [...stdout.matchAll(/\+(\d+)ms$/gm)].map(([, ms]) => Number(ms));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  test('is one document with --json, and nothing else on standard output', async () => {
    const { stdout, stderr, exitCode } = await smoke(['--json']);
    const document = JSON.parse(stdout) as {
      schema: number;
      result: string;
      checkpoints: { number: number; atMs: number }[];
      postConditions: { name: string; ok: boolean; expected: string; actual: string; durationMs: number }[];
    };
    expect(document).toMatchObject({
      schema: 1,
      result: 'success',
      exitCode: 0,
      summary: 'All post-conditions PASSED (8 checks)',
      error: null,
    });
    expect(document.checkpoints.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 7, 8]);
    expect(document.postConditions.map(({ name, ok }) => `${name} ${ok}`)).toEqual([
      'lock held true',
      'threads beat true',
      'events once true',
      'health fresh true',
      'queue apart true',
      'queue kept true',
      'lock free true',
      'nothing left true',
    ]);
    for (const { expected, actual, durationMs } of document.postConditions) {
      expect([typeof expected, typeof actual, typeof durationMs]).toEqual(['string', 'string', 'number']);
    }
    expect(stdout.endsWith('}\n')).toBe(true);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  test('boots in a folder for this user alone', async () => {
    config(
      `{
      eventSource: () => [1],
      handler: './work.mjs',
      postConditions: [{ name: 'mode', expected: 'x', check: ({ runDir }) => {
        const folders = [runDir, dirname(runDir), dirname(dirname(runDir))].map((path) => statSync(path).mode & 0o777);
        return { ok: folders.every((mode) => mode === 0o700), actual: folders.map((mode) => mode.toString(8)).join() };
      } }],
    }`,
      "import { statSync } from 'node:fs'; import { dirname } from 'node:path';",
    );
    const { stdout, exitCode } = await smoke();
    expect(stdout).toMatch(/ok {2}mode .*700,700,700/);
    expect(exitCode).toBe(0);
  });

  test('has a JUnit report with --junit, with a case for each checkpoint and post-condition', async () => {
    const { exitCode } = await smoke(['--junit', 'smoke.xml']);
    expect(exitCode).toBe(0);
    const xml = readFileSync(join(here.dir, 'smoke.xml'), 'utf8');
    expect(xml.match(/<testcase /g)).toHaveLength(8 + 8);
    expect(xml).toContain('<testsuites tests="16" failures="0" errors="0" skipped="1">');
    expect(xml).toMatch(/name="6\/8 timeout, no event">\s*<skipped\/>/);
  });
});

describe("a user's own post-conditions", () => {
  const condition = (name: string, check: string, more = '') =>
    `{ name: '${name}', expected: 'five', check: ${check}, ${more} }`;

  test('see the events, their outcomes on disk, the status, the snapshot and the folder', async () => {
    config(
      `{
        threads: 1,
        handler: './work.mjs#odd',
        eventSource: () => [1, 3, 5],
        postConditions: [${condition(
          'context',
          `({ runId, runDir, stalled, events, outcomes, status, snapshot }) => ({
            ok: true,
            actual: JSON.stringify({
              runId, stalled,
              files: readdirSync(runDir).sort().filter((file) => !/-(wal|shm)$/.test(file)),
              events: events.map(({ id, event, told, heard }) => [id, event, told.result, heard.length]),
              outcomes: outcomes.map(({ id, state, result }) => [id, state, result]).sort(),
              status: [status.mode, status.counts.done, status.health.healthy],
              snapshot: [snapshot.runId, snapshot.pid === process.pid],
            }),
          })`,
        )}],
      }`,
      "import { readdirSync } from 'node:fs';",
    );
    const { stdout, exitCode } = await smoke(['--json']);
    expect(exitCode).toBe(0);
    const { postConditions } = JSON.parse(stdout) as { postConditions: { name: string; actual: string }[] };
    expect(postConditions.map(({ name }) => name).at(-1)).toBe('context');
    expect(JSON.parse(postConditions.at(-1)!.actual)).toEqual({
      runId: 'smoke',
      stalled: false,
      files: ['health.json', 'queue.db'],
      events: [
        ['event-1', 1, 1, 1],
        ['event-2', 3, 3, 1],
        ['event-3', 5, 5, 1],
      ],
      outcomes: [
        ['event-1', 'done', 1],
        ['event-2', 'done', 3],
        ['event-3', 'done', 5],
      ],
      status: ['running', 3, true],
      snapshot: ['smoke', true],
    });
  });

  test('that are false end it with 1; all of them run, and are told together', async () => {
    config(`{ timeout: '5s', postConditions: [
      ${condition('first', `() => ({ ok: false, actual: 'four' })`)},
      ${condition('second', `() => { throw new RangeError('out of range'); }`)},
      ${condition('third', `async () => ({ ok: true, actual: 'five' })`)},
      ${condition('fourth', `() => true`)},
    ] }`);
    const { stdout, stderr, exitCode, numbers } = await smoke(['--junit', 'smoke.xml']);
    expect(stdout).toContain(
      '  FAILED: first: expected five, found four | second: it threw RangeError: out of range | ' +
        'fourth: it gave true instead of { ok, actual }\n',
    );
    expect(stdout).toMatch(/^CHECKPOINT 7\/8: post-conditions FAILED /m);
    expect(stdout).toMatch(/^ {2}ok +third /m);
    expect(stdout).toMatch(/^CHECKPOINT 8\/8: complete: EXCEPTION /m);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 7, 8]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const xml = readFileSync(join(here.dir, 'smoke.xml'), 'utf8');
    expect(xml).toContain('<failure message="expected five, found four"');
  });

  test('that only warn are shown, and fail nothing', async () => {
    config(`{ postConditions: [${condition('slow', `() => ({ ok: false, actual: 'four' })`, "severity: 'warn'")}] }`);
    const { stdout, exitCode } = await smoke();
    expect(stdout).toContain('All post-conditions PASSED (9 checks, 1 warning)');
    expect(stdout).toMatch(/^ {2}warning {2}slow .*expected five, found four$/m);
    expect(exitCode).toBe(0);
  });

  test('that hang have failed when the timeout has passed', async () => {
    config(`{ timeout: '5s', postConditions: [
      ${condition('hangs', `() => new Promise(() => {})`)},
      ${condition('next', `() => ({ ok: true, actual: 'five' })`)},
    ] }`);
    const { stdout, exitCode } = await smoke();
    expect(stdout).toContain('FAILED: hangs: no answer within 5s\n');
    expect(stdout).toMatch(/^ {2}ok +next /m);
    expect(exitCode).toBe(1);
  });

  test('run after a stall, too', async () => {
    config(`{ eventSource: () => [], postConditions: [
      ${condition('mine', `({ stalled, events }) => ({ ok: stalled && events.length === 0, actual: 'looked' })`)},
    ] }`);
    const { stdout, exitCode } = await smoke();
    expect(stdout).toMatch(/^ {2}ok +mine .*looked$/m);
    expect(exitCode).toBe(2);
  });
});

test('events that were taken beside the first one are followed to their end', async () => {
  here.write('slow.mjs', 'export default async (n) => { if (n > 1) await new Promise((go) => setTimeout(go, 300)); };');
  config(`{ handler: './slow.mjs', eventSource: () => [1, 2] }`);
  const { stdout, exitCode } = await smoke();
  expect(stdout).toMatch(/^CHECKPOINT 5\/8: first event received \(event-1, /m);
  expect(stdout).toMatch(/^ {2}ok +events once .* 2 events, each done/m);
  expect(exitCode).toBe(0);
});

describe('no event in time', () => {
  test('is a stall: 6 instead of 5, the post-conditions all the same, and exit 2', async () => {
    config(`{ eventSource: ${SILENT} }`, FS);
    const { stdout, stderr, exitCode, numbers } = await smoke(['--timeout', '2s', '--junit', 'smoke.xml']);
    expect(numbers).toEqual([1, 2, 3, 4, 6, 7, 8]);
    expect(stdout).toMatch(/^CHECKPOINT 2\/8: timeout configured \(2s\) /m);
    expect(stdout).toMatch(/^CHECKPOINT 6\/8: timeout, no event /m);
    expect(stdout).toContain('  FAILED: events once: no event came\n');
    for (const name of [
      'lock held',
      'threads beat',
      'health fresh',
      'queue apart',
      'queue kept',
      'lock free',
      'nothing left',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ok +${name} `, 'm'));
    }
    expect(stdout).toMatch(/^CHECKPOINT 8\/8: complete: STALLED /m);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
    expect(readFileSync(join(here.dir, 'smoke.xml'), 'utf8')).toMatch(
      /name="5\/8 first event received">\s*<skipped\/>/,
    );
  });

  test('is known at once where the source has ended', async () => {
    config('{ eventSource: () => [] }');
    const { stdout, exitCode } = await smoke(['--timeout', '1d']);
    expect(stdout).toMatch(/^CHECKPOINT 6\/8: timeout, no event: the event source has ended /m);
    expect(exitCode).toBe(2);
  });

  longTest(
    'of a source that ignores the end of the test does not hang it, and what the source left is named',
    async () => {
      config(`{ eventSource: async function* () { setInterval(() => {}, 1000); await new Promise(() => {}); } }`);
      const { stdout, exitCode } = await smoke(['--timeout', '5s']);
      expect(stdout).toMatch(/^ {2}FAILED +nothing left .* a timer$/m);
      expect(exitCode).toBe(2);
    },
  );

  test('where its handler never ends names the event; the thread is ended by force', async () => {
    // As one that spins does, it ends with its thread only; but it takes no time from others.
    here.write('block.mjs', 'export default () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
    config(`{ handler: './block.mjs', eventSource: () => [1] }`);
    const { stdout, exitCode } = await smoke(['--timeout', '5s']);
    expect(stdout).toMatch(/^CHECKPOINT 6\/8: timeout, no event: event-1 has no outcome /m);
    expect(stdout).toContain('events once: event-1 has come to no end');
    expect(stdout).toMatch(/^ {2}ok +nothing left /m);
    expect(exitCode).toBe(2);
  });

  test('where the boot itself never ends is a stall, too', async () => {
    here.write('never.mjs', 'await new Promise((resolve) => setTimeout(resolve, 2 ** 30)); export default () => {};');
    config(`{ handler: './never.mjs', eventSource: () => [1] }`);
    const { stdout, exitCode, numbers } = await smoke(['--timeout', '400ms']);
    expect(numbers).toEqual([1, 2, 3, 6, 7, 8]);
    expect(stdout).toMatch(/^CHECKPOINT 6\/8: timeout, no event: the boot has not ended /m);
    expect(stdout).toContain('FAILED: boot ended: expected an executor before the timeout, found still booting\n');
    expect(exitCode).toBe(2);
  });

  longTest('of the other events is a failed check, not a stall', async () => {
    here.write('half.mjs', 'export default (n) => n === 1 ? n : new Promise(() => {});');
    config(`{ handler: './half.mjs', eventSource: () => [1, 2] }`);
    const { stdout, exitCode } = await smoke(['--timeout', '5s']);
    expect(stdout).toContain('FAILED: events once: event-2 has come to no end\n');
    expect(exitCode).toBe(1);
  });
});

describe('an exception', () => {
  longTestAfter<[string, () => void, number[], RegExp]>(5, [
    [
      'of the handler',
      () => config(`{ handler: './work.mjs#odd', eventSource: () => [2] }`),
      [1, 2, 3, 4, 8],
      /^runtime: task event-1 \(odd\) failed: RangeError: even: 2\n$/,
    ],
    [
      'of the event source',
      () => config(`{ eventSource: async function* () { throw new Error('no broker'); } }`),
      [1, 2, 3, 4, 8],
      /^runtime: Error: no broker\n {4}at .*runtime\.config\.mjs/,
    ],
    [
      'of a timer of the event source, which nobody can catch',
      () =>
        config(`{ eventSource: async function* () {
          setTimeout(() => { throw new Error('no broker any more'); });
          await new Promise(() => {});
        } }`),
      [1, 2, 3, 4, 8],
      /^runtime: Error: no broker any more\n {4}at .*runtime\.config\.mjs/,
    ],
    [
      'of a promise of the event source, which nobody awaits',
      () =>
        config(`{ eventSource: async function* () {
          void Promise.reject(null);
          await new Promise(() => {});
        } }`),
      [1, 2, 3, 4, 8],
      /^runtime: .*promise.*null/,
    ],
    [
      'of a source that is none',
      () => config(`{ eventSource: () => 5 }`),
      [1, 2, 3, 4, 8],
      /^runtime: TypeError: the event source gave nothing that can be iterated over\n/,
    ],
    [
      'of a module that does not load',
      () => {
        here.write('broken.mjs', "throw new Error('no database');");
        config(`{ handler: './broken.mjs', eventSource: () => [1] }`);
      },
      [1, 2, 3, 8],
      /^runtime: cannot load .*broken\.mjs: no database/,
    ],
    [
      'of an export that is not there',
      () => config(`{ handler: './work.mjs#nope', eventSource: () => [1] }`),
      [1, 2, 3, 4, 8],
      /^runtime: .*work\.mjs exports no function "nope"\nIt exports: /,
    ],
    [
      'of a source that throws what is no error',
      () => config(`{ eventSource: () => { throw 'no broker'; } }`),
      [1, 2, 3, 4, 8],
      /^runtime: Error: no broker\n/,
    ],
    [
      'of a thread that does not load, though others do, and no event came yet',
      () => {
        here.write(
          'once.mjs',
          `import { threadId } from 'node:worker_threads';
           if (threadId > 1) throw new Error('not here');
           export default () => {};`,
        );
        config(`{ handler: './once.mjs', eventSource: ${SILENT} }`, FS);
      },
      [1, 2, 3, 4, 8],
      /^runtime: cannot load .*once\.mjs: not here/,
    ],
    [
      'of an event that cannot travel',
      () => config(`{ eventSource: () => [() => {}] }`),
      [1, 2, 3, 4, 8],
      /^runtime: .*cannot/,
    ],
  ])('%s goes straight to the end, and ends with 1', async (_, prepare, expected, words) => {
    prepare();
    const { stdout, stderr, exitCode, numbers } = await smoke(['--threads', '2', '--junit', 'smoke.xml']);
    expect(numbers).toEqual(expected);
    expect(stdout).toMatch(/^CHECKPOINT 8\/8: complete: EXCEPTION /m);
    expect(stderr).toMatch(words);
    expect(exitCode).toBe(1);
    expect(readFileSync(join(here.dir, 'smoke.xml'), 'utf8')).toContain('errors="1"');
  });

  test('of a temporary folder that cannot be had is told as one', async () => {
    const { stdout, stderr, exitCode, numbers } = await smoke([], { TMPDIR: join(temporary, 'nowhere') });
    expect(numbers).toEqual([1, 2, 3, 8]);
    expect(stdout).toContain('complete: EXCEPTION');
    expect(stderr).toMatch(/^runtime: cannot make a temporary folder in .*nowhere: ENOENT.*\nSet TMPDIR to .*\n$/);
    expect(exitCode).toBe(1);
  });

  test('is told in the JSON document', async () => {
    config(`{ handler: './work.mjs#odd', eventSource: () => [2] }`);
    const { stdout, exitCode } = await smoke(['--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      result: 'exception',
      exitCode: 1,
      summary: null,
      postConditions: [],
      error: { name: 'TaskError', code: 'ERR_TASK_FAILED', message: expect.stringContaining('even: 2') as string },
    });
    expect(exitCode).toBe(1);
  });
});

describe('what is left behind', () => {
  test('by an event source is named, each thing by itself, and ends the test with 1', async () => {
    config(
      `{ handler: './work.mjs', eventSource: function* () {
        setInterval(() => {}, 1000);
        spawn('sleep', ['5'], { stdio: 'ignore' });
        new Worker('setInterval(() => {}, 1000)', { eval: true });
        yield 1;
      } }`,
      "import { spawn } from 'node:child_process'; import { Worker } from 'node:worker_threads';",
    );
    const { stdout, exitCode } = await smoke();
    const [line] = /^ {2}FAILED +nothing left .*$/m.exec(stdout) ?? [''];
    expect(line).toMatch(/thread \d+/);
    expect(line).toMatch(/child process \d+ \(sleep 5\)/);
    expect(line).toMatch(/a timer/);
    expect(exitCode).toBe(1);
  });

  test('by a handler in its thread goes with the thread; a child process of it stays, and is named', async () => {
    here.write(
      'child.mjs',
      `import { spawn } from 'node:child_process';
       export default () => { setInterval(() => {}, 1000); return spawn('sleep', ['5'], { stdio: 'ignore' }).pid; };`,
    );
    config(`{ handler: './child.mjs', eventSource: () => [1] }`);
    const { stdout, exitCode } = await smoke();
    // Node ends the thread, and with it nothing that the thread started.
    expect(stdout).toMatch(/^ {2}FAILED +nothing left +\S+ +child process \d+ \(sleep 5\)$/m);
    expect(exitCode).toBe(1);
  });
});

describe('what others print', () => {
  test('goes to standard error, whoever prints it and however: the document stays whole', async () => {
    here.write(
      'loud.mjs',
      `export default (n, { log }) => { console.log('from a thread'); log.info('from its log'); return n; };`,
    );
    config(
      `{ handler: './loud.mjs',
         eventSource: () => { console.log('from the source'); return [1]; },
         postConditions: [{ name: 'loud', expected: 'x', check: () => {
           process.stdout.write('from a condition\\n');
           return { ok: true, actual: 'x' };
         } }] }`,
      `console.log('from the config');`,
    );
    const { stdout, stderr, exitCode } = await smoke(['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ result: 'success' });
    for (const words of ['the config', 'the source', 'a thread', 'its log', 'a condition']) {
      expect(stderr).toContain(`from ${words}`);
    }
    expect(exitCode).toBe(0);
  });
});

describe('a signal', () => {
  /** Starts the command, and waits for its source to be waited for. */
  async function waiting(args: string[] = []) {
    config(`{ eventSource: ${SILENT} }`, FS);
    const command = here.start(['smoke', '--threads', '1', ...args], { env: env() });
    await waitFor('the wait', () => existsSync(join(here.dir, 'waiting')));
    // In an object: what stands in a promise by itself is awaited.
    return { command };
  }

  longTestAfter(1, [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s during the wait cancels the test: it is no event, and no stall', async (signal, code) => {
    const { command } = await waiting();
    command.kill(signal);
    const { stdout, stderr, exitCode } = await command;
    expect(numbersOf(stdout)).toEqual([1, 2, 3, 4, 8]);
    expect(stdout).not.toContain('first event received');
    expect(stdout).toMatch(new RegExp(String.raw`^CHECKPOINT 8/8: complete: CANCELLED \(${signal}\) `, 'm'));
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: '' });
    expect(readdirSync(temporary)).toEqual([]);
  });

  longTest('is told in the JSON document and the JUnit report', async () => {
    const { command } = await waiting(['--json', '--junit', 'smoke.xml']);
    command.kill('SIGINT');
    const { stdout, exitCode } = await command;
    expect(JSON.parse(stdout)).toMatchObject({ result: 'cancelled', exitCode: 130, error: null });
    expect(exitCode).toBe(130);
    expect(readFileSync(join(here.dir, 'smoke.xml'), 'utf8')).toContain('errors="1"');
  });

  test('during the boot cancels the test, and a second one ends the process at once', async () => {
    here.write(
      'never.mjs',
      `import { writeFileSync } from 'node:fs';
       writeFileSync('loading', '');
       await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
       export default () => {};`,
    );
    config(`{ handler: './never.mjs', eventSource: () => [1] }`);
    const command = here.start(['smoke', '--threads', '1'], { env: env() });
    await waitFor('the boot', () => existsSync(join(here.dir, 'loading')));
    expect(readdirSync(temporary)).toHaveLength(1);
    // Two different ones: of two alike that come at once, the system may deliver one.
    // And stopped meanwhile: with the first one alone it might have come to its end before the second is sent.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) command.kill(signal);
    const { stdout, exitCode } = await command;
    expect([130, 143]).toContain(exitCode);
    expect(numbersOf(stdout)).toEqual([1, 2, 3]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('during the boot, once, waits for its end only a moment', async () => {
    here.write(
      'never.mjs',
      `import { writeFileSync } from 'node:fs'; writeFileSync('loading', ''); await new Promise(() => setInterval(() => {}, 1000)); export default () => {};`,
    );
    config(`{ handler: './never.mjs', eventSource: () => [1] }`);
    const command = here.start(['smoke', '--threads', '1'], { env: env() });
    await waitFor('the boot', () => existsSync(join(here.dir, 'loading')));
    command.kill('SIGTERM');
    const { stdout, exitCode } = await command;
    expect(numbersOf(stdout)).toEqual([1, 2, 3, 8]);
    expect(exitCode).toBe(143);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('during a post-condition cancels the test, with what was found up to then', async () => {
    config(
      `{ postConditions: [{ name: 'slow', expected: 'x', check: () => { writeFileSync('waiting', ''); return new Promise(() => {}); } }] }`,
      FS,
    );
    const command = here.start(['smoke', '--threads', '1'], { env: env() });
    await waitFor('the condition', () => existsSync(join(here.dir, 'waiting')));
    command.kill('SIGINT');
    const { stdout, exitCode } = await command;
    expect(numbersOf(stdout)).toEqual([1, 2, 3, 4, 5, 8]);
    expect(exitCode).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('while a handler spins ends the thread by force', async () => {
    here.write(
      'spin.mjs',
      `import { writeFileSync } from 'node:fs'; export default () => { writeFileSync('waiting', ''); for (;;); };`,
    );
    config(`{ handler: './spin.mjs', eventSource: () => [1] }`);
    const command = here.start(['smoke', '--threads', '1'], { env: env() });
    await waitFor('the spin', () => existsSync(join(here.dir, 'waiting')));
    command.kill('SIGINT');
    const { stdout, exitCode } = await command;
    expect(stdout).toContain('complete: CANCELLED (SIGINT)');
    expect(exitCode).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('of a reader that goes leaves nothing behind either', async () => {
    const { command } = await waiting();
    command.stdout.destroy();
    command.kill('SIGINT');
    await command;
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('wrong usage', () => {
  longTestAfter<[string, string[], Record<string, string>, string[]]>(3, [
    [
      'every fault at once',
      ['--timeout', 'banana', '--threads', '0', '--thread', '3', 'more', '--junit', 'no/smoke.xml'],
      {},
      [
        '--timeout: "banana" is not a duration: write 500ms, 2s, 5m, 1h or 1d',
        '--threads: must be a whole number from 1 to 1024, got 0',
        '--thread: is not a flag of runtime smoke; did you mean "--threads"?',
        'more: is one argument too many',
        '--junit: "no/smoke.xml" cannot be written: there is no such folder',
        'runtime smoke --help lists every flag with an example.\n',
      ],
    ],
    ['a variable that is no number', [], { BOOT_TIMEOUT_S: 'abc' }, ['BOOT_TIMEOUT_S: must be seconds', 'got "abc"']],
    ['a report over a folder', ['--junit', '.'], {}, ['--junit: "." cannot be written: it is a folder']],
    ['a variable of nothing', [], { BOOT_TIMEOUT_S: '0' }, ['BOOT_TIMEOUT_S: must be seconds', 'got "0"']],
    ['a negative variable', [], { BOOT_TIMEOUT_S: '-3' }, ['BOOT_TIMEOUT_S: must be seconds', 'got "-3"']],
    ['a config file that is not there', ['--config', 'nope.mjs'], {}, ['nope.mjs']],
    ['a flag without its value', ['--timeout'], {}, ["option '--timeout <duration>' argument missing"]],
  ])('(%s) ends with 64, and nothing is started', async (_, args, variables, expected) => {
    const { dir, runtime } = here;
    const { stdout, stderr, exitCode } = await runtime(['smoke', ...args], { env: env(variables) });
    for (const words of expected) expect(stderr).toContain(words);
    expect(stderr).toMatch(/^runtime: /);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(dir)).toEqual(['work.mjs']);
  });

  test('of a config file is told with all its faults', async () => {
    config(`{ timeout: 'soon', eventSource: [], postConditions: [{ name: 'x' }] }`);
    const { stdout, stderr, exitCode } = await here.runtime(['smoke'], { env: env() });
    for (const words of [
      'smoke.timeout: "soon" is not a duration',
      'smoke.eventSource: must be a function',
      'smoke.postConditions.0.check: must be a function',
    ]) {
      expect(stderr).toContain(words);
    }
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
  });

  test('is none: the flag stands above the environment, and that above the config file', async () => {
    config(`{ timeout: '30s' }`);
    const configured = async (args: string[], variables: Record<string, string> = {}) =>
      /timeout configured \((.*)\)/.exec((await smoke(args, variables)).stdout)?.[1];
    expect(await configured([])).toBe('30s');
    expect(await configured([], { BOOT_TIMEOUT_S: '20' })).toBe('20s');
    expect(await configured(['--timeout', '10s'], { BOOT_TIMEOUT_S: '20' })).toBe('10s');
  });
});

test('a report that cannot be written at the end is told, and is no success', async () => {
  config(
    `{ postConditions: [{ name: 'remove', expected: 'x', check: () => { mkdirSync('smoke.xml'); return { ok: true, actual: 'x' }; } }] }`,
    "import { mkdirSync } from 'node:fs';",
  );
  const { stdout, stderr, exitCode } = await smoke(['--junit', 'smoke.xml']);
  expect(stdout).toContain('complete: SUCCESS');
  expect(stderr).toMatch(/^runtime: --junit: .*EISDIR/);
  expect(exitCode).toBe(1);
});

longTest('the report of an earlier test is written over, with the rights it has', async () => {
  here.write('smoke.xml', 'x'.repeat(100_000));
  chmodSync(join(here.dir, 'smoke.xml'), 0o644);
  expect((await smoke(['--junit', 'smoke.xml'])).exitCode).toBe(0);
  expect(readFileSync(join(here.dir, 'smoke.xml'), 'utf8')).toMatch(/<\/testsuites>\s*$/);
  expect(statSync(join(here.dir, 'smoke.xml')).mode & 0o777).toBe(0o644);
});

test('the example passes, with its own events and its own checks', async () => {
  const example = join(import.meta.dirname, '../../../../examples/smoke.config.mjs');
  const { stdout, exitCode } = await smoke(['--config', example]);
  expect(stdout).toMatch(/^ {2}ok +totals .* (\d+) of \1 right$/m);
  expect(stdout).toMatch(/^ {2}\w+ +speed .*the slowest took/m);
  expect(exitCode).toBe(0);
});
