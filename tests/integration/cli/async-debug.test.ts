/** ASYNC_DEBUG on real commands and programs: what their trace logs tell, and that nothing else changes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Inspection } from '../../../dist/debug/inspection.js';
import type { Dump } from '../../../dist/debug/trace/dump.js';
import { executorOf, lines, parsed, place, started, type Place } from '../../support/command.js';
import { longTest, longTestAfter } from '../../support/long.js';
import { waitFor } from '../../support/wait-for.js';

const REGISTER = fileURLToPath(new URL('../../../dist/debug/register.js', import.meta.url));

/** Limits that no machine reaches, however busy: what is asserted is what a whole look shows. */
const ON = { ASYNC_DEBUG: '1', ASYNC_DEBUG_MAX_PAUSE: '1m', ASYNC_DEBUG_INTERVAL: '1h' };

const HANDLERS = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
async function opened() {
  while (!existsSync('open')) await sleep(20);
}
export const gate = async (input) => {
  await opened();
  return input;
};
`;

let here: Place;
beforeEach(() => {
  here = place();
  here.write('gate.mjs', HANDLERS);
});

const runDir = (runId: string) => join(here.dir, '.runtime/runs', runId);
const traceOf = (runId: string) => textOf(join(runDir(runId), 'trace.log'));
const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const reasons = (text: string) => [...text.matchAll(/^dump \d+ · \S+ · ([^·]+) · /gm)].map(([, why]) => why);

const dumpsOf = (path: string) => parsed(textOf(path)) as unknown as (Inspection & { dump: Dump })[];

/** The one trace log of what has no run. */
function debugLog(name: string): string {
  const folder = join(here.dir, '.runtime/debug');
  const [file] = existsSync(folder) ? readdirSync(folder).filter((each) => each.startsWith(`${name}-`)) : [];
  return file === undefined ? '' : textOf(join(folder, file));
}

/** A run whose tasks wait for the file "open", once its first dump is there. */
async function heldRun(env: Record<string, string> = {}, ...args: string[]) {
  const command = here.start(
    ['run', 'gate.mjs', '--handler', 'gate', '--lines', '--run-id', 'held', '--threads', '1', ...args],
    { input: lines(1), env: { ...ON, ...env } },
  );
  await waitFor('the first dump', () => /^dump 1 .*\n/m.test(traceOf('held')));
  await here.until('held', (status) => started(status) === 1);
  return { command };
}

const open = () => here.write('open', '');

describe('the trace log of a run', () => {
  test('explains itself: what it is, dumps from the start to the end, the line of each await, and for the owner alone', async () => {
    const { command } = await heldRun();
    command.kill('SIGUSR2');
    await waitFor('a second dump', () => reasons(traceOf('held')).length === 2);
    open();
    const { exitCode, stderr } = await command;
    expect(exitCode).toBe(0);
    const path = join(runDir('held'), 'trace.log');
    expect(stderr).toContain(`runtime: ASYNC_DEBUG: dumps go to ${path}\n`);
    const text = textOf(path);
    expect(text).toMatch(/^# Trace log of run held\.\n/);
    expect(reasons(text)).toEqual(['at the start', 'on SIGUSR2', 'at the end']);
    expect(text).toMatch(/gate {2}.*gate\.mjs:8:3\n/);
    expect(text).toMatch(/opened {2}.*gate\.mjs:5:\d+\n.*timer/);
    expect(text).toContain('· at the end · nothing is left: no function awaits anything in 2 threads');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(path.replace('.log', '.ndjson'))).toBe(false);
  });

  longTestAfter(0, [
    ['the one process', ['--no-supervise']],
    ['the executor', []],
  ])('SIGUSR2 to %s asks for a dump, and ends nothing', async (whom, args) => {
    const { command } = await heldRun({}, ...args);
    process.kill(whom === 'the executor' ? executorOf(command.pid!) : command.pid!, 'SIGUSR2');
    await waitFor('a dump on the signal', () => reasons(traceOf('held')).includes('on SIGUSR2'));
    open();
    expect((await command).exitCode).toBe(0);
  });

  test('with ASYNC_DEBUG_FORMAT=json, each dump is an inspection on a line of trace.ndjson, too', async () => {
    const { command } = await heldRun({ ASYNC_DEBUG_FORMAT: 'json', ASYNC_DEBUG_INTERVAL: '100ms' }, '--no-supervise');
    // At the first dumps the task may not have come to its first await.
    const stillThere = /gate › opened {2}.*gate\.mjs:5:\d+, still there since \d\d:\d\d:\d\d \(.*\)/;
    await waitFor('a dump that tells what still stands', () => stillThere.test(traceOf('held')));
    open();
    await command;
    const path = join(runDir('held'), 'trace.ndjson');
    const dumps = dumpsOf(path);
    expect(dumps.map(({ schema, dump }) => [schema, dump.number])).toEqual(dumps.map((_, index) => [1, index + 1]));
    expect(dumps[1]!.dump).toMatchObject({ why: 'interval', growing: [] });
    expect(dumps[1]!.threads.map(({ threadId }) => threadId)).toEqual([0, 1]);
    expect(dumps.some(({ dump }) => JSON.stringify(dump.standing).includes('"opened"'))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  longTest(
    'above the pause that is allowed a thread is not walked through; the dump says so, and which setting shows it',
    async () => {
      const { command } = await heldRun({ ASYNC_DEBUG_MAX_PAUSE: '1ms', ASYNC_DEBUG_FORMAT: 'json' });
      command.kill('SIGUSR2');
      await waitFor('a second dump', () => reasons(traceOf('held')).length === 2);
      open();
      await command;
      const text = traceOf('held');
      expect(text).toMatch(
        / · suspended functions unknown · nothing paused · what 2 threads awaited was not inspected: see the notes\n/,
      );
      expect(text).toMatch(/note: .* and 1ms are allowed\n +\(ASYNC_DEBUG_MAX_PAUSE=\d+s shows it.*\)\n/);
      const [, asked] = dumpsOf(join(runDir('held'), 'trace.ndjson'));
      expect(asked!.dump).toMatchObject({ why: 'SIGUSR2', maxPauseMs: 5_000 });
      // On a machine that is busy enough, not even that is.
      for (const { view, notes } of asked!.threads) {
        expect([view === 'whole', notes.join()]).toContainEqual(
          view === 'whole' ? true : expect.stringContaining('and 5s are'),
        );
      }
    },
  );

  longTest('a run that is told to stop at once is dumped as it stood, and takes no last look', async () => {
    const { command } = await heldRun({}, '--grace', '30s');
    command.kill('SIGINT');
    await here.until('held', ({ state }) => state === 'draining');
    command.kill('SIGINT');
    await waitFor('what it waited for', () => reasons(traceOf('held')).includes('the drain takes long'));
    open();
    expect((await command).exitCode).toBe(130);
    expect(reasons(traceOf('held'))).toEqual(['at the start', 'the drain takes long']);
  });

  test('a run without a task leaves its trace log, and nothing else', async () => {
    const { exitCode } = await here.runtime(
      ['run', 'gate.mjs', '--handler', 'gate', '--lines', '--run-id', 'none', '--threads', '1'],
      {
        env: ON,
      },
    );
    expect(exitCode).toBe(0);
    expect(readdirSync(runDir('none'))).toEqual(['trace.log']);
  });

  longTest('a log that cannot be written is told of once, and changes nothing', async () => {
    mkdirSync(join(runDir('held'), 'trace.log'), { recursive: true, mode: 0o700 });
    chmodSync(join(here.dir, '.runtime'), 0o700);
    const command = here.start(
      ['run', 'gate.mjs', '--handler', 'gate', '--lines', '--run-id', 'held', '--threads', '1'],
      {
        input: lines(3),
        env: { ...ON, ASYNC_DEBUG_INTERVAL: '100ms' },
      },
    );
    await here.until('held', (status) => started(status) > 0);
    open();
    const { exitCode, stderr } = await command;
    expect(exitCode).toBe(0);
    expect(stderr.match(/no dumps: /g)).toHaveLength(1);
  });
});

longTest('a dry run has a trace log, and the report that it has without', async () => {
  const { exitCode, stdout, stderr } = await here.runtime(
    ['dry-run', '--count', '5', '--rate', '100', '--threads', '1', '--json'],
    {
      env: ON,
    },
  );
  expect([exitCode, (JSON.parse(stdout) as { events: number }).events]).toEqual([0, 5]);
  expect(stderr).toContain('runs/dry-run/trace.log');
  expect(reasons(traceOf('dry-run')).at(-1)).toBe('at the end');
});

test('a smoke test passes, finds nothing left behind, and leaves a trace log that explains itself', async () => {
  const { exitCode, stdout, stderr } = await here.runtime(['smoke', '--threads', '1'], { env: ON });
  expect(stdout).toContain('CHECKPOINT 8/8: complete: SUCCESS');
  expect(exitCode).toBe(0);
  const log = debugLog('smoke');
  expect(stderr).toMatch(/^runtime: ASYNC_DEBUG: dumps go to .*\/\.runtime\/debug\/smoke-\d+\.log\n$/);
  expect(log).toMatch(/^# Trace log of runtime smoke, process \d+\.\n/);
  expect(reasons(log)).toEqual(['at the start', 'at the end']);
});

test('a smoke test whose boot does not end in time has a dump in its trace log, too', async () => {
  const { exitCode, stdout } = await here.runtime(['smoke', '--threads', '1', '--timeout', '1ms'], { env: ON });
  expect([exitCode, stdout]).toEqual([2, expect.stringContaining('the boot has not ended')]);
  expect(reasons(debugLog('smoke'))).toEqual(['at the end']);
});

describe('a command without a run', () => {
  test('that is over in a moment leaves nothing', async () => {
    expect(await here.runtime(['status'], { env: ON })).toEqual(await here.runtime(['status']));
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });

  test('that goes on is looked into, too', async () => {
    here.write('runtime.config.mjs', 'await new Promise((resolve) => setTimeout(resolve, 60_000));');
    const command = here.start(['config', 'check'], { env: ON });
    await waitFor('a dump', () => reasons(debugLog('config-check')).length === 1);
    command.kill('SIGKILL');
  });
});

longTestAfter(2, [['run', 'gate.mjs', '--lines'], ['smoke'], ['status'], ['dry-run', '--count', '1']])(
  'a setting that cannot be read keeps %s from starting: exit 64, all faults told',
  async (...args) => {
    const env = { ASYNC_DEBUG: 'ture', ASYNC_DEBUG_INTERVAL: '5' };
    const { exitCode, stdout, stderr } = await here.runtime(args, { env });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain('\n  ASYNC_DEBUG: must be');
    expect(stderr).toContain('\n  ASYNC_DEBUG_INTERVAL: "5" has no unit');
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  },
);

test('where it is off, SIGUSR2 ends a run as it always did', async () => {
  const command = here.start(
    ['run', 'gate.mjs', '--handler', 'gate', '--lines', '--run-id', 'held', '--threads', '1'],
    {
      input: lines(1),
      env: { ASYNC_DEBUG: 'off' },
    },
  );
  await here.until('held', (status) => started(status) === 1);
  command.kill('SIGUSR2');
  expect((await command).signal).toBe('SIGUSR2');
  expect(existsSync(join(runDir('held'), 'trace.log'))).toBe(false);
});

/** A program that knows nothing of holdfast. */
function app(text: string, env: Record<string, string> = {}) {
  const command = execa(process.execPath, ['--import', REGISTER, here.write('app.mjs', text)], {
    cwd: here.dir,
    reject: false,
    stripFinalNewline: false,
    env: { RUNTIME_DIR: '', ASYNC_DEBUG: '', ASYNC_DEBUG_MAX_PAUSE: '1m', ...env },
  });
  onTestFinished(() => void command.kill('SIGKILL'));
  return command;
}

const WAITS = `
import { createServer } from 'node:http';
async function answer() {
  await new Promise((resolve) => (globalThis.answer = resolve));
}
answer();
process.on('SIGTERM', () => process.exit(7));
createServer().listen(0);
`;

describe("somebody's own program with holdfast/debug", () => {
  test('is looked into from its start, on SIGUSR2, and its exit code stays its own', async () => {
    const command = app(WAITS);
    await waitFor('the first dump', () => reasons(debugLog('app')).length === 1);
    command.kill('SIGUSR2');
    await waitFor('a second dump', () => reasons(debugLog('app')).length === 2);
    command.kill('SIGTERM');
    const { exitCode, stderr } = await command;
    expect(exitCode).toBe(7);
    expect(stderr).toMatch(/^holdfast: dumps go to .*\.runtime\/debug\/app-\d+\.log\n$/);
    const log = debugLog('app');
    expect(log).toMatch(/^# Trace log of app\.mjs, process \d+\.\n/);
    expect(log).toMatch(/answer {2}app\.mjs:4:3/);
    expect(log).toContain('server on ');
    // None of what looks into it.
    expect(log).not.toMatch(/dumpOne|socket \(std/);
  });

  test('with ASYNC_DEBUG=hooks tells where what lives was made, in workers too', async () => {
    here.write('worker.mjs', 'function beats() { setInterval(() => {}, 1000); } beats();');
    const text = `import { Worker } from 'node:worker_threads'; function starts() { new Worker('./worker.mjs'); } starts();`;
    const command = app(text, { ASYNC_DEBUG: 'hooks' });
    await waitFor('a dump', () => reasons(debugLog('app')).length === 1);
    command.kill('SIGKILL');
    expect(debugLog('app')).toMatch(/^main: created: (.|\n)* starts {2}app\.mjs:1:\d+\n/m);
    expect(debugLog('app')).toMatch(/^worker 1: created: (.|\n)* beats {2}worker\.mjs:1:\d+\n/m);
  });

  test('is not kept alive by it; what it leaves undone is dumped at its end', async () => {
    const left = app(
      `async function never() { await new Promise((resolve) => (globalThis.never = resolve)); } never();`,
      {
        ASYNC_DEBUG_INTERVAL: '1h',
      },
    );
    expect((await left).exitCode).toBe(0);
    expect(debugLog('app')).toMatch(/at the end · 1 suspended function(.|\n)*never {2}app\.mjs:1:\d+/);
  });

  test('has worker threads that are seen from its main thread: one log, not one for each', async () => {
    here.write(
      'worker.mjs',
      `async function idle() { await new Promise((resolve) => (globalThis.idle = resolve)); } idle(); setInterval(() => {}, 1000);`,
    );
    const command = app(
      `import { Worker } from 'node:worker_threads'; new Worker('./worker.mjs'); new Worker('./worker.mjs');`,
    );
    await waitFor('a dump', () => reasons(debugLog('app')).length === 1);
    command.kill('SIGKILL');
    await command;
    expect(readdirSync(join(here.dir, '.runtime/debug'))).toHaveLength(1);
    expect(debugLog('app')).toMatch(/worker 1 and worker 2(.|\n)*idle {2}worker\.mjs:1:\d+/);
  });

  longTestAfter(1, ['off', '0', 'No'])('is left alone with ASYNC_DEBUG=%s', async (value) => {
    const { stdout, stderr } = await app('console.log(process.listenerCount("SIGUSR2"))', { ASYNC_DEBUG: value });
    expect([stdout, stderr]).toEqual(['0\n', '']);
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });

  test('does not start with a setting that cannot be read', async () => {
    const { exitCode, stdout, stderr } = await app('console.log(1)', { ASYNC_DEBUG_FORMAT: 'xml' });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain('ASYNC_DEBUG_FORMAT: must be text or json, got "xml"');
  });

  test('goes on where no folder can be had, and says so', async () => {
    mkdirSync(join(here.dir, '.runtime'));
    chmodSync(join(here.dir, '.runtime'), 0o777);
    const { exitCode, stdout, stderr } = await app('console.log(1)');
    expect([exitCode, stdout]).toEqual([0, '1\n']);
    expect(stderr).toMatch(/^holdfast: no dumps: cannot use the state folder/);
  });
});

test('what went to a disk that is full is taken back: no log ends in half a dump', () => {
  const file = fileURLToPath(new URL('../../../dist/debug/trace/dump-file.js', import.meta.url));
  const path = here.write('dumps.log', '');
  const text = `
    import { DumpFile } from ${JSON.stringify(file)};
    process.on('SIGXFSZ', () => {});
    const dumps = new DumpFile(${JSON.stringify(path)});
    await dumps.append('x'.repeat(3000));
    await dumps.append('y'.repeat(3000)).catch(({ code }) => console.log(code));`;
  const script = here.write('full.mjs', text);
  // Coverage would be too large a file as well.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  expect(execFileSync('prlimit', ['--fsize=4096', process.execPath, script], { encoding: 'utf8', env })).toBe(
    'EFBIG\n',
  );
  expect(readFileSync(path, 'utf8')).toBe('x'.repeat(3000));
  rmSync(path);
});
