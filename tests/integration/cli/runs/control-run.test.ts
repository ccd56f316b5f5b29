/** A run seen and steered from another terminal; who holds its lock; how it is stopped. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { StateDir } from '../../../../dist/system/state-dir.js';
import { executorOf, lines, parsed, place, started, type Place } from '../../../support/command.js';
import { longTest, longTestAfter } from '../../../support/long.js';
import { waitFor } from '../../../support/wait-for.js';

const GATED = ['run', 'work.mjs', '--lines', '--handler', 'gate', '--threads', '2', '--run-id', 'gated'];

/** Starts a run of 10 tasks, each of which waits until `open` is called, and waits until two run. */
async function gated(here: Place, ...flags: string[]) {
  const command = here.start([...GATED, ...flags], { input: lines(10) });
  await here.until('gated', (status) => started(status) === 2);
  // Not the command itself: that would be waited for.
  return { command };
}
const open = ({ write }: Place) => void write('open', '');

describe('a second executor', () => {
  test('is refused at once, and told who holds the run; the first one does not notice', async () => {
    const here = place();
    const { command: first } = await gated(here);
    const before = await here.status('gated');
    for (const flags of [[], ['--no-supervise', '--fresh']]) {
      const { exitCode, stdout, stderr } = await here.runtime([...GATED, ...flags], { input: lines(10) });
      expect(exitCode).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain('Another executor is already running: run "gated"');
      expect(stderr).toContain(`${first.pid}@${hostname()} in ${here.dir}`);
      expect(stderr).toContain(`lock: ${join(here.dir, '.runtime/locks/gated.lock')}`);
      expect(stderr).toContain('runtime status gated. Or wait for its end: --wait 10m.');
    }
    expect((await here.status('gated')).counts).toEqual(before.counts);
    open(here);
    expect((await first).exitCode).toBe(0);
  });

  test('waits with --wait, and goes on with what the first one left', async () => {
    const here = place();
    const { command: first } = await gated(here);
    const inVain = await here.runtime([...GATED, '--wait', '50ms'], { input: '' });
    expect(inVain.stderr).toMatch(
      /^runtime: waiting up to 50ms for \d+@.* to end run gated\nruntime: Another executor/,
    );
    expect(inVain.exitCode).toBe(1);
    const second = here.start([...GATED, '--wait', '1m', '--json'], { input: lines(10) });
    await here.runtime(['drain', 'gated']);
    open(here);
    expect((await first).exitCode).toBe(3);
    const { stdout, exitCode } = await second;
    expect(JSON.parse(stdout)).toMatchObject({ before: 2, counts: { done: 10 } });
    expect(exitCode).toBe(0);
  });
});

describe('status', () => {
  test('shows what runs where, on a terminal of people and as a document', async () => {
    const here = place();
    const { command: running } = await gated(here);
    const { stdout } = await here.runtime(['status', 'gated']);
    expect(stdout).toMatch(/^run {8}gated\nstate {6}running\ntasks {6}8 queued, 2 running\n/);
    expect(stdout).toMatch(new RegExp(`^holder {5}${running.pid}@`, 'm'));
    expect(stdout).toMatch(/^thread 1 {3}busy, 0 tasks done\n {11}gate [0-9a-f]{16} \([12]\) for \d/m);
    const document = JSON.parse((await here.runtime(['status', 'gated', '--json'])).stdout) as object;
    expect(document).toMatchObject({
      schema: 1,
      runId: 'gated',
      state: 'running',
      problem: null,
      executor: { epoch: 1 },
    });
    expect((await here.runtime(['status'])).stdout).toBe('gated  running  8 queued, 2 running\n');
    open(here);
    await running;
    expect((await here.runtime(['status'])).stdout).toBe('gated  idle  10 done\n');
    expect(JSON.parse((await here.runtime(['status', '--json'])).stdout)).toMatchObject({
      schema: 1,
      runs: [{ runId: 'gated', state: 'idle', executor: null, holder: null }],
    });
  });

  test('shows how far a task says it is, and nothing else of it', async () => {
    const here = place();
    here.write('steps.mjs', STEPS);
    const running = here.start(['run', 'steps.mjs', '--lines', '--threads', '1'], { input: 'x' });
    const { executor } = await here.until('steps', (status) =>
      Boolean(status.executor?.threads[0]?.running[0]?.progress),
    );
    expect(executor!.threads[0]!.running[0]!.progress).toEqual({ done: 3, total: 4_000 });
    expect((await here.runtime(['status', 'steps'])).stdout).toMatch(/, at 3 of 4,000$/m);
    open(here);
    expect((await running).exitCode).toBe(0);
  });

  test('of an executor that is stopped says so in time, with what is recorded, and does nothing late', async () => {
    const here = place();
    const { command: running } = await gated(here);
    const executor = executorOf(running.pid!);
    process.kill(executor, 'SIGSTOP');
    try {
      const { stdout } = await here.runtime(['status', 'gated']);
      expect(stdout).toMatch(/^state {6}silent\ntasks {6}8 queued, 2 running$/m);
      expect(stdout).toContain('problem    the executor does not answer: no answer within 2 s\n');
      const { exitCode, stderr } = await here.runtime(['pause', 'gated']);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`It is process ${running.pid} on ${hostname()}: stopped (kill -CONT`);
    } finally {
      process.kill(executor, 'SIGCONT');
    }
    // It was told that nobody answered: so nothing may come of it now.
    await here.until('gated', ({ state }) => state === 'running');
    open(here);
    expect((await running).exitCode).toBe(0);
  });
});

const STEPS = `
import { existsSync } from 'node:fs';
export default async (_, { progress }) => {
  progress(3, 4_000);
  while (!existsSync('open')) await new Promise((resolve) => setTimeout(resolve, 5));
};
`;

describe('pause, resume and drain', () => {
  test('hold a run up, let it go on, and end it', async () => {
    const here = place();
    const { command: running } = await gated(here);
    expect(await here.runtime(['pause', 'gated'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'gated is paused: 2 running, 8 waiting\n',
    });
    open(here);
    await here.until('gated', ({ state, counts }) => state === 'paused' && counts['running'] === 0);
    expect((await here.runtime(['resume', 'gated'])).stderr).toMatch(/^gated is running: /);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('10 done');
  });

  test('leave what waits to the same command, and cannot be taken back', async () => {
    const here = place();
    const { command: running } = await gated(here);
    expect(await here.runtime(['drain', 'gated'])).toMatchObject({
      exitCode: 0,
      stderr: 'gated is draining: 2 running, 8 waiting\n',
    });
    for (const too of ['pause', 'resume']) {
      expect(await here.runtime([too, 'gated'])).toMatchObject({
        exitCode: 1,
        stderr: `runtime: too late to ${too}: gated is draining: 2 running, 8 waiting\n`,
      });
    }
    open(here);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^drain: waiting for 2 running tasks: /m);
    expect(stderr).toContain('tasks      2 done, 8 queued\n');
    expect(stderr).toContain('next       the same command goes on with the 8 left\n');
    expect((await here.runtime(GATED, { input: lines(10) })).exitCode).toBe(0);
  });

  test('end a run that has done all it has, but not read all there is, not as if it had', async () => {
    const here = place();
    const running = here.start(['run', 'work.mjs', '--lines', '--json', '--threads', '1']);
    running.stdin.write('one\n');
    await here.until('work', ({ counts }) => counts['done'] === 1);
    await here.runtime(['drain', 'work']);
    const { exitCode, stdout, stderr } = await running;
    expect(parsed(stdout)).toMatchObject([{ counts: { done: 1, queued: 0 } }]);
    expect(stderr).toContain('next       the same command, with the same input, goes on where this one stopped\n');
    expect(exitCode).toBe(3);
  });

  test('want a run that is going on', async () => {
    const here = place();
    await here.runtime(['run', 'work.mjs', '--lines', '--quiet', '--no-supervise', '--threads', '1'], { input: 'x' });
    for (const what of ['pause', 'resume', 'drain']) {
      expect(await here.runtime([what, 'work'])).toMatchObject({
        exitCode: 1,
        stderr: 'runtime: no executor is running for "work"\nHow the run is doing: runtime status work\n',
      });
    }
  });
});

describe('the state on disk', () => {
  test('is for this user alone, also where the path is too long for a socket', async () => {
    const here = place();
    const deep = Array.from({ length: 3 }, (_, depth) => String(depth).repeat(60)).join('/');
    mkdirSync(join(here.dir, dirname(deep)), { recursive: true });
    for (const dir of ['state', deep]) {
      const running = here.start([...GATED, '--dir', dir], { input: lines(10) });
      const view = await waitForLock(here, dir);
      const modeOf = (path: string) => statSync(path).mode & 0o777;
      for (const folder of ['', 'locks', 'runs', 'runs/gated']) expect(modeOf(join(here.dir, dir, folder))).toBe(0o700);
      for (const file of ['locks/gated.lock', 'runs/gated/queue.db'])
        expect(modeOf(join(here.dir, dir, file))).toBe(0o600);
      expect(modeOf(view.controlSocket)).toBe(0o600);
      expect(modeOf(dirname(view.controlSocket))).toBe(0o700);
      expect(view.controlSocket.startsWith(here.dir)).toBe(dir === 'state');
      expect((await here.runtime(['pause', 'gated', '--dir', dir])).stderr).toMatch(/^gated is paused/);
      running.kill('SIGKILL');
      await running;
    }
  });
});

function waitForLock(here: Place, dir: string): Promise<{ controlSocket: string }> {
  return waitFor<{ controlSocket: string } | undefined>('a control socket', () => {
    const path = new StateDir(join(here.dir, dir)).lockPath('gated');
    const controlSocket = new ProcessLock({ path, runId: 'gated' }).holder()?.controlSocket;
    return controlSocket === undefined ? undefined : { controlSocket };
  });
}

describe('the lock', () => {
  test('tells who holds it, and is not released while they live; once they are killed, it is', async () => {
    const here = place();
    const { runtime, dir } = here;
    const { command: running } = await gated(here);
    const holder = `${running.pid}@${hostname()}`;
    expect((await runtime(['lock', 'list'])).stdout).toBe(`gated  held by ${holder}\n`);
    const shown = (await runtime(['lock', 'show', 'gated'])).stdout;
    expect(shown).toMatch(
      new RegExp(
        `^run {5}gated\nstate {3}held by ${holder}\nfolder {2}${dir}\nsince {3}20.*\nlock {4}${dir}/.runtime/locks/gated.lock\n$`,
      ),
    );
    expect(JSON.parse((await runtime(['lock', 'list', '--json'])).stdout)).toMatchObject({
      schema: 1,
      locks: [{ runId: 'gated', held: true, holder: { pid: running.pid, cwd: dir } }],
    });
    const refused = await runtime(['lock', 'release', 'gated']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`runtime drain gated, or kill ${running.pid} on ${hostname()}`);

    running.kill('SIGKILL');
    await running;
    await here.until('gated', ({ state }) => state === 'idle');
    expect((await runtime(['status', 'gated'])).stdout).toContain('tasks      8 queued, 2 interrupted\n');
    expect((await runtime(['lock', 'list'])).stdout).toBe(`gated  free: ${holder} died with it\n`);
    expect(JSON.parse((await runtime(['lock', 'show', 'gated', '--json'])).stdout)).toMatchObject({
      schema: 1,
      held: false,
    });
    expect(await runtime(['lock', 'release', 'gated'])).toMatchObject({
      exitCode: 0,
      stderr: 'removed the lock file that the dead holder of gated left\n',
    });
    expect(existsSync(join(dir, '.runtime/locks/gated.lock'))).toBe(false);
    expect((await runtime(['lock', 'release', 'gated'])).stderr).toBe(
      'the lock of gated is free: nothing to release\n',
    );
    expect(await runtime(['lock', 'list'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: `no locks in ${dir}/.runtime\n`,
    });

    open(here);
    const { exitCode, stderr } = await runtime(GATED, { input: lines(10) });
    expect(stderr).toContain('2 tasks interrupted the last time: to be run again\n');
    expect(exitCode).toBe(0);
  });
});

/** Gives the exit code of a run that is told to end by `signal` while two of its tasks run. */
async function stopped(here: Place, signal: NodeJS.Signals, flags: string[]) {
  const { command } = await gated(here, ...flags);
  command.kill(signal);
  await here.until('gated', ({ state }) => state === 'draining');
  open(here);
  return await command;
}

longTestAfter(2, [
  ['SIGTERM', 143, []],
  ['SIGINT', 130, ['--no-supervise']],
  ['SIGHUP', 129, []],
  ['SIGINT', 130, []],
] as const)(
  '%s lets what runs come to its end: exit %d %j, and the same command goes on',
  async (signal, code, flags) => {
    const here = place();
    const { exitCode, stderr } = await stopped(here, signal, [...flags]);
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(
      new RegExp(
        `^${signal}: waiting for 2 running tasks: \\w+ \\([12]\\), \\w+ \\([12]\\)\n  .* again interrupts them\n`,
        'm',
      ),
    );
    expect(stderr).toContain('tasks      2 done, 8 queued\n');
    expect(existsSync(join(here.dir, '.runtime/locks/gated.lock'))).toBe(false);
    expect((await here.runtime([...GATED, ...flags], { input: lines(10) })).exitCode).toBe(0);
  },
);

describe.each([
  ['with a supervisor', []],
  ['with --no-supervise', ['--no-supervise']],
])('%s, a signal', (_, flags) => {
  const either = flags.length === 0 ? test : longTest;

  either('that comes twice interrupts what runs, which is ready again', async () => {
    const here = place();
    const { command: running } = await gated(here, ...flags);
    running.kill('SIGINT');
    await here.until('gated', ({ state }) => state === 'draining');
    running.kill('SIGINT');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('SIGINT again: interrupted tasks have 2s to stop; they run again with the same command\n');
    expect((await here.status('gated')).counts).toMatchObject({ queued: 10, running: 0, cancelled: 0, failed: 0 });
    open(here);
    expect((await here.runtime([...GATED, ...flags], { input: lines(10) })).exitCode).toBe(0);
  });

  either('while a task file is still arriving ends the run without a word of error', async () => {
    const here = place();
    const running = here.start(['run', 'work.mjs', '--tasks', '-', '--run-id', 'typed', ...flags]);
    running.stdin.write('{"input":1}\n');
    await here.until('typed', ({ state }) => state === 'running');
    running.kill('SIGINT');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/^SIGINT: ending\nrun {8}typed\ntasks {6}none\n/);
    expect(stderr).not.toContain('Error');
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });
});

test('a lock that names no holder is said to be held by somebody', async () => {
  const here = place();
  const { command: running } = await gated(here);
  const lock = join(here.dir, '.runtime/locks/gated.lock');
  expect(parsed(readFileSync(lock, 'utf8'))).toMatchObject([
    { pid: running.pid, controlSocket: expect.any(String) as string },
  ]);
  here.write('.runtime/locks/gated.lock', '');
  expect((await here.runtime(['lock', 'list'])).stdout).toBe('gated  held by somebody\n');
  expect((await here.runtime(['status', 'gated'])).stdout).toContain(
    'problem    the executor of "gated" has no control socket',
  );
});
