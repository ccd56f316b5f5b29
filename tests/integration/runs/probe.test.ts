import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { probeRun } from '../../../dist/runs/probe-run.js';
import { processState } from '../../../dist/system/process-state.js';
import { readHealth, type HealthSnapshot } from '../../../dist/runtime/health/snapshot.js';
import { ProcessLock } from '../../../dist/system/lock/process-lock.js';
import { StateDir } from '../../../dist/system/state-dir.js';
import { executorOf, place, started, type Place } from '../../support/command.js';
import { HANDLERS } from '../../support/executors.js';
import { longTest } from '../../support/long.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const LIVE = ['live', 'ready', 'startup'] as const;

/** Asks the three probes of a run: `ok`, or why not. */
async function asked({ runtime }: Place, runId = 'work', ...more: string[]): Promise<string[]> {
  const answers = await Promise.all(
    LIVE.map(async (name) => {
      const { exitCode, stdout, stderr } = await runtime(['status', runId, '--probe', name, ...more]);
      expect([0, 1]).toContain(exitCode);
      expect(exitCode === 0 ? stderr : stdout).toBe('');
      return exitCode === 0 ? stdout.trim() : stderr.trim();
    }),
  );
  return answers;
}

const WELL = ['live', 'ready', 'started'];

/** Whether all three are good, at once: what is good for two seconds and a half only has no time for a process each. */
async function areGood(dir: string): Promise<boolean> {
  const seen = await probeRun(new StateDir(dir), 'work');
  return LIVE.every((name) => seen[name].ok);
}

/** Waits until the three probes are as they are to be. Where they are not, that is seen without a process for each. */
function until(here: Place, answers: readonly (string | RegExp)[], dir = join(here.dir, '.runtime')) {
  return waitFor(`the probes to be ${String(answers)}`, async () => {
    const seen = await probeRun(new StateDir(dir), 'work');
    if (!answers.every((answer, index) => seen[LIVE[index]!].ok === WELL.includes(String(answer)))) return false;
    const told = await asked(here, 'work', '--dir', dir);
    return answers.every((answer, index) =>
      typeof answer === 'string' ? told[index] === answer : answer.test(told[index]!),
    );
  });
}

/** A run with a task that waits for the file `open`; it has beaten, and its snapshot says so. */
async function going(here: Place, env: Record<string, string> = {}, flags: readonly string[] = []) {
  const command = ['run', 'work.mjs', '--lines', '--handler', 'gate', '--quiet', ...flags];
  const run = here.start(command, { input: '1\n', env });
  await here.until('work', (status) => started(status) === 1);
  await until(here, WELL);
  // Its executor may say so before the disk does.
  await waitFor('its first snapshot', () => existsSync(join(here.dir, '.runtime/runs/work/health.json')));
  // As a promise in a promise it would be waited for here.
  return { pid: run.pid!, ended: () => run };
}

describe.each([[[]], [['--no-supervise']]])('the probes of a run %j', (flags: string[]) => {
  const attempt = flags.length === 0 ? test : longTest;

  attempt('are good while it runs, and bad at once when it is killed', async () => {
    const here = place();
    const run = await going(here, {}, flags);
    const pids = flags.length === 0 ? [executorOf(run.pid), run.pid] : [run.pid];
    for (const pid of pids.toReversed()) process.kill(pid, 'SIGKILL');
    await run.ended();
    const why = /: no executor holds its lock; the last one was running .* ago$/;
    await until(here, [why, why, why]);
  });

  attempt('are bad at once when its executor is stopped, and good when it goes on', async () => {
    const here = place();
    const run = await going(here, {}, flags);
    const executor = flags.length === 0 ? executorOf(run.pid) : run.pid;
    process.kill(executor, 'SIGSTOP');
    const why = new RegExp(`: its process ${executor} is stopped \\(kill -CONT ${executor} lets it go on\\)$`);
    await until(here, [why, why, why]);
    process.kill(executor, 'SIGCONT');
    await until(here, WELL);
  });
});

describe('the probes of a run', () => {
  test('are bad as long as its executor is dead, and good once the next one beats', async () => {
    const here = place();
    const run = await going(here);
    const died = executorOf(run.pid);
    // The supervisor, stopped, sees nothing of it, and starts nobody.
    process.kill(run.pid, 'SIGSTOP');
    process.kill(died, 'SIGKILL');
    const why = new RegExp(': (its process \\d+ is (dead|stopped)|its executor has died)');
    await until(here, [why, why, why]);
    process.kill(run.pid, 'SIGCONT');
    await until(here, WELL);
    expect(executorOf(run.pid)).not.toBe(died);
  });

  test('turn bad when its supervisor is stopped, which keeps its queue, and good when it goes on', async () => {
    const here = place();
    const run = await going(here);
    process.kill(run.pid, 'SIGSTOP');
    const why = /: (the queue did not answer within 1s|it does not answer, and its last beat is .* old)$/;
    await until(here, [why, why, 'started']);
    process.kill(run.pid, 'SIGCONT');
    await until(here, WELL);
  });

  test('tell a run that is paused from one that can take tasks', async () => {
    const here = place();
    await going(here);
    await here.runtime(['pause', 'work']);
    expect(await asked(here)).toEqual(['live', 'runtime: work is not ready: it is paused', 'started']);
    await here.runtime(['resume', 'work']);
    expect(await asked(here)).toEqual(WELL);
  });

  test('are one JSON document with --json', async () => {
    const here = place();
    await going(here);
    const good = await here.runtime(['status', 'work', '--probe', 'ready', '--json']);
    expect([good.exitCode, JSON.parse(good.stdout)]).toEqual([
      0,
      { schema: 1, runId: 'work', probe: 'ready', ok: true, why: expect.stringMatching(/^(1 thread|2 threads)$/) },
    ]);
    await here.runtime(['pause', 'work']);
    const bad = await here.runtime(['status', 'work', '--probe', 'ready', '--json']);
    expect([bad.exitCode, bad.stderr, JSON.parse(bad.stdout)]).toEqual([
      1,
      '',
      { schema: 1, runId: 'work', probe: 'ready', ok: false, why: 'it is paused' },
    ]);
  });

  test('are good while its event loop is busy, and bad once it has not beaten for some beats', async () => {
    const here = place();
    // On a signal, its event loop stands still until the file is there.
    const still = here.write(
      'stand-still.mjs',
      `import { existsSync } from 'node:fs';
       process.on('SIGUSR2', () => { while (!existsSync('turn')); });`,
    );
    const { pid } = await going(here, { NODE_OPTIONS: `--import=${still}` });
    process.kill(executorOf(pid), 'SIGUSR2');
    expect(await areGood(join(here.dir, '.runtime'))).toBe(true);
    const old = /: it does not answer, and its last beat is .* old$/;
    await until(here, [old, old, 'started']);
    here.write('turn', '');
    await until(here, WELL);
  });

  test('go by its own answer and its beats where its processes cannot be seen, as in another container', async () => {
    const here = place();
    const { pid } = await going(here);
    const lock = join(here.dir, '.runtime', 'locks', 'work.lock');
    const details = JSON.parse(readFileSync(lock, 'utf8')) as object;
    writeFileSync(lock, `${JSON.stringify({ ...details, hostname: 'elsewhere' })}\n`);
    expect(await asked(here)).toEqual(WELL);
    await here.runtime(['pause', 'work']);
    expect(await asked(here)).toEqual(['live', 'runtime: work is not ready: it is paused', 'started']);
    process.kill(executorOf(pid), 'SIGSTOP');
    const old = /: it does not answer, and its last beat is .* old$/;
    await until(here, [old, old, 'started']);
    process.kill(executorOf(pid), 'SIGCONT');
  });

  test('are not fooled by another process that has the pid of the dead one', async () => {
    const here = place();
    const run = await going(here);
    const executor = executorOf(run.pid);
    process.kill(run.pid, 'SIGSTOP');
    process.kill(executor, 'SIGKILL');
    const file = join(here.dir, '.runtime', 'runs', 'work', 'health.json');
    const stranger = process.pid;
    // As if the pid had been given to this process, and a beat had just come.
    const { snapshot } = readHealth(file);
    const lie = { ...snapshot, pid: stranger, lastBeat: { ...snapshot.lastBeat!, at: Date.now() + 2000 } };
    writeFileSync(file, JSON.stringify(lie));
    const why = new RegExp(': (its process \\d+ is (dead|stopped)|its executor has died)');
    await until(here, [why, why, why]);
    process.kill(run.pid, 'SIGCONT');
  });
});

/** An executor from code, in a process of its own, which has beaten; `text` goes on after that. */
async function library(text: string) {
  const dir = tempDir();
  const index = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));
  const program = join(dir, 'program.mjs');
  writeFileSync(
    program,
    `import { createExecutor } from ${JSON.stringify(index)};
     const executor = await createExecutor({
       runId: 'work', handlers: ${JSON.stringify(HANDLERS)}, threads: 1, dir: ${JSON.stringify(dir)}
     });
     setInterval(() => {}, 1000);
     const { once } = await import('node:events');
     ${text}`,
  );
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, dir };
}

describe('the probes of an executor from code, which has no socket', () => {
  test('go by its beats, and are bad at once when it is stopped or killed', async () => {
    const here = place();
    const { child, dir } = await library('');
    await until(here, WELL, dir);
    child.kill('SIGSTOP');
    const stopped = /: its process \d+ is stopped/;
    await until(here, [stopped, stopped, stopped], dir);
    child.kill('SIGCONT');
    await until(here, WELL, dir);
    child.kill('SIGKILL');
    const killed = /: no executor holds its lock/;
    await until(here, [killed, killed, killed], dir);
  });

  test('turn bad when its event loop never turns again', async () => {
    const here = place();
    const { dir } = await library(
      `await once(executor, 'beat'); await new Promise((r) => setTimeout(r, 200)); for (;;);`,
    );
    // At first it may only be busy.
    await waitFor('the probes to be good', () => areGood(dir));
    const old = /: it does not answer, and its last beat is .* old$/;
    await until(here, [old, old, 'started'], dir);
  });

  test('tell beats that it misses itself, and that it is paused', async () => {
    const here = place();
    const { dir } = await library(`executor.pause(); await once(executor, 'beat');`);
    await until(here, ['live', 'runtime: work is not ready: it is paused', 'started'], dir);
    const file = join(dir, 'runs', 'work', 'health.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ state: 'paused' });
  });
});

describe('the last beat counts', () => {
  /** A run that this process holds, without a socket, whose snapshot says what a test wants; gives the answer. */
  async function held(snapshot: Partial<HealthSnapshot>): Promise<string> {
    const here = place();
    const stateDir = new StateDir(join(here.dir, '.runtime'));
    const runDir = stateDir.ensureRunDir('work');
    await using lock = await new ProcessLock({ path: stateDir.lockPath('work'), runId: 'work' }).acquire();
    const beat = { count: 1, uptimeMs: 0, at: Date.now() + 1000, tookMs: 0, threads: [1] };
    const whole = { ...readHealth('').snapshot, updatedAt: Date.now(), state: 'running' as const, lastBeat: beat };
    writeFileSync(join(runDir, 'health.json'), JSON.stringify({ ...whole, ...ids(process.pid), ...snapshot }));
    expect(lock.held).toBe(true);
    return (await asked(here))[0]!;
  }

  const ids = (pid: number) => ({ pid, pidStartTicks: processState(pid)!.startTicks });
  const GONE = 'runtime: work is not live: its executor has died, or is just starting';

  test('if it is of the process that holds the lock, or of its child', async () => {
    expect(await held({})).toBe('live');
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill());
    expect(await held(ids(child.pid!))).toBe('live');
  });

  test('and not if it is of another one with the same pid, or of a stranger', async () => {
    expect(await held({ pidStartTicks: ids(process.pid).pidStartTicks - 1 })).toBe(GONE);
    expect(await held(ids(process.ppid))).toBe(GONE);
    expect(await held({ pid: null })).toBe(GONE);
  });

  test('and not if that executor has stopped, failed, missed a beat, or never beat', async () => {
    expect(await held({ state: 'stopped' })).toBe(GONE);
    expect(await held({ state: 'failed' })).toBe('runtime: work is not live: the executor failed');
    const lastError = { at: 1, source: 'beat' as const, message: 'the queue hangs' };
    expect(await held({ lastError })).toBe('runtime: work is not live: the queue hangs');
    expect(await held({ lastBeat: null })).toBe(
      'runtime: work is not live: it does not answer, and its last beat never came',
    );
  });
});

describe('a probe', () => {
  test('of a run that nobody knows names those there are', async () => {
    const { runtime } = place();
    await runtime(['run', 'work.mjs', '--lines'], { input: '1\n' });
    const { exitCode, stdout, stderr } = await runtime(['status', 'wrok', '--probe', 'live']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^runtime: there is no run "wrok" in .*; did you mean "work"\?\nThere are: work\.\n$/);
  });

  test('of a run that has ended well is bad: nobody runs it', async () => {
    const here = place();
    await here.runtime(['run', 'work.mjs', '--lines'], { input: '1\n' });
    const why =
      /^runtime: work (is not live|is not ready|has not started): no executor holds its lock; the last one was stopped .* ago$/;
    for (const told of await asked(here)) expect(told).toMatch(why);
  });

  test.each([
    [['work', '--probe', 'lvie'], ['--probe: must be one of live, ready, startup, got "lvie"; did you mean "live"?']],
    [['--probe', 'ready'], ['<run-id>: is missing: a probe asks about one run']],
    [
      ['--probe', 'x'],
      ['--probe: must be one of', '<run-id>: is missing'],
    ],
  ])('that is wrongly asked, %j, tells each fault and asks nothing', async (args, faults) => {
    const { runtime } = place();
    const { exitCode, stdout, stderr } = await runtime(['status', ...args]);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^runtime: nothing was asked:\n/);
    for (const fault of faults) expect(stderr).toContain(`  ${fault}`);
    expect(stderr).toMatch(/Such as: runtime status (work|<run-id>) --probe (live|ready)\n$/);
  });
});
