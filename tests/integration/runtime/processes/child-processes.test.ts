/** What tasks start by `exec` and `spawn` ends with them, whatever ends them. */
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childOf } from '../../../../scripts/chaos/processes.mjs';
import { createExecutor } from '../../../../dist/index.js';
import { processState } from '../../../../dist/system/process-state.js';
import { sendSignal } from '../../../../dist/system/send-signal.js';
import { rejection } from '../../../support/executors.js';
import { longTestAfter } from '../../../support/long.js';
import { RunPlace, type RunProcess } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

const HANDLERS = fileURLToPath(new URL('../../../support/child-tasks.mjs', import.meta.url));
const onLinux = describe.skipIf(process.platform !== 'linux');

/** Programs whose working directory is that of the tasks: only those of a test are. */
function programsIn({ dir }: RunPlace): number[] {
  const at = (pid: number) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`);
    } catch {
      return undefined; // it has ended, or has nothing but its number left
    }
  };
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && at(pid) === dir);
}

/** Resolves once all five have said who they are. */
const grown = (place: RunPlace) =>
  waitFor('all programs', () => {
    const file = place.path('pids');
    return existsSync(file) && readFileSync(file, 'utf8').split('\n').length === 6;
  });

function begin(place: RunPlace, handler: string, input: unknown, ...args: string[]): RunProcess {
  onTestFinished(() => {
    for (const pid of programsIn(place)) sendSignal(pid, 'SIGKILL');
  });
  const tasks = place.tasks([{ id: 'task', handler, input }]);
  return place.startModule(HANDLERS, '--tasks', tasks, '--threads', '1', '--grace', '200ms', ...args);
}

const executorPid = (run: RunProcess) => run.executorPid!;

/** How the task is ended; after the second signal and without an executor, it runs again with the same command. */
const ENDS: [string, string[], (run: RunProcess, place: RunPlace) => void | Promise<void>][] = [
  ['SIGKILL of the executor', [], (run) => void process.kill(executorPid(run), 'SIGKILL')],
  ['SIGKILL of the supervisor', [], (run) => run.signal('SIGKILL')],
  ['SIGKILL of the one process', ['--no-supervise'], (run) => run.signal('SIGKILL')],
  ['the second SIGINT', [], (run) => twice(run, 'SIGINT')],
  ['the third SIGINT to the one process', ['--grace', '10m', '--no-supervise'], (run) => thrice(run, 'SIGINT')],
  ['process.exit() in its thread', [], (_, place) => place.letGo('end')],
  ['SIGSEGV of the executor', [], (run) => void process.kill(executorPid(run), 'SIGSEGV')],
  ['SIGABRT of the executor', [], (run) => void process.kill(executorPid(run), 'SIGABRT')],
  ['SIGKILL of both', [], (run) => run.signalBoth('SIGKILL')],
  ['the second SIGTERM', [], (run) => twice(run, 'SIGTERM')],
  ['the second SIGTERM to the one process', ['--no-supervise'], (run) => twice(run, 'SIGTERM')],
  ['the third SIGHUP', ['--grace', '10m'], (run) => thrice(run, 'SIGHUP')],
];

async function twice(run: RunProcess, signal: NodeJS.Signals): Promise<void> {
  run.signal(signal);
  await run.told(`${signal}: waiting`);
  run.signal(signal);
}

async function thrice(run: RunProcess, signal: NodeJS.Signals): Promise<void> {
  await twice(run, signal);
  await run.told('once more ends all at once');
  run.signal(signal);
}

onLinux('no program of an attempt lives when the next one begins', () => {
  longTestAfter(6, ENDS)('after %s', async (_, args, end) => {
    const place = new RunPlace();
    const run = begin(place, 'tree', 'exit', ...args);
    await grown(place);
    await end(run, place);
    await run.ended;
    const again = begin(place, 'tree', 'exit', '--wait', '30s');
    expect(await again.ended).toBe(0);
    expect((await place.outcomes()).map(({ result }) => result)).toEqual(['[]']);
    expect(programsIn(place)).toEqual([]);
  });

  test.each([
    ['an error that nobody catches', 'throw', []],
    ['the burst of its heap', 'burst', ['--memory', '32MB']],
  ] as [string, string, string[]][])('after %s in its thread', async (_, end, args) => {
    const place = new RunPlace();
    const run = begin(place, 'tree', end, ...args);
    await grown(place);
    place.letGo('end');
    expect(await run.ended).toBe(0);
    expect((await place.outcomes()).map(({ result }) => result)).toEqual(['[]']);
    expect(programsIn(place)).toEqual([]);
  });

  longTestAfter(1, [
    ['that spins, and does not hear of it', 'treeAndSpin'],
    ['that waits for them', 'tree'],
  ])('after the timeout of a handler %s', async (_, handler) => {
    const place = new RunPlace();
    const run = begin(place, handler, 'exit', '--timeout', '1s', '--retries', '1');
    expect(await run.ended).toBe(0);
    expect((await place.outcomes()).map(({ result, attempts }) => [result, attempts])).toEqual([['[]', 2]]);
    expect(programsIn(place)).toEqual([]);
  });

  test('after a cancel', async () => {
    const place = new RunPlace();
    process.env['HOLD_DIR'] = place.dir;
    const executor = await createExecutor({ runId: 'run-1', handlers: HANDLERS, dir: place.path('state'), grace: 200 });
    onTestFinished(() => executor.stop({ force: true }));
    const ended = rejection(executor.submit('tree', 'exit', { id: 'task' }));
    await grown(place);
    expect(await executor.cancel('task')).toBe(true);
    expect((await ended)['code']).toBe('ERR_TASK_CANCELLED');
    expect(programsIn(place)).toEqual([]);
    const seen = await executor.submit('tree', 'exit');
    expect(seen).toEqual([]);
  });
});

onLinux('a handler that does not wait for what it has started', () => {
  test('is done, what still runs is ended, and told of', async () => {
    const place = new RunPlace();
    const run = begin(place, 'forget', null);
    expect(await run.ended).toBe(0);
    expect(await place.ends()).toEqual({ task: 'done attempts 1 crashes 0' });
    expect(run.stderr).toMatch(/ended what the task had left running: (?=.*\bsh \(\d+\)).*\bsleep \(\d+\)/);
    expect(programsIn(place)).toEqual([]);
  });
});

test('programs are given what execa gives them, and no input that nobody writes', async () => {
  const place = new RunPlace();
  const run = begin(place, 'through', 'text');
  expect(await run.ended).toBe(0);
  expect((await place.outcomes()).map(({ result }) => result)).toEqual(['["text","",7]']);
});

test('what is inherited is printed where the task prints', async () => {
  const place = new RunPlace();
  const run = begin(place, 'print', 'words', '--results', '-');
  expect(await run.ended).toBe(0);
  expect(run.stderr).toContain('words\n');
  expect(run.stderr).toContain('words of stderr\n');
  expect(run.stdout).not.toContain('words of');
  expect((await place.outcomes()).map(({ result }) => result)).toEqual(['null']);
});

onLinux('what ends programs when we are killed', () => {
  test('is replaced when it dies, and gone with the executor', async () => {
    const place = new RunPlace();
    const run = begin(place, 'tree', 'exit', '--no-supervise');
    await grown(place);
    const first = await reaperOf(run);
    process.kill(first, 'SIGKILL');
    const second = await reaperOf(run, first);
    run.signal('SIGKILL');
    await run.ended;
    await waitFor('all programs to end', () => programsIn(place).length === 0);
    await waitFor('it to end', () => [undefined, 'Z'].includes(processState(second)?.letter));
    expect(place.lock.isLocked()).toBe(false);
  });

  test('is not there before a task starts a program', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', place.tasks([{ id: 'held', handler: 'hold', input: 'go' }]), '--no-supervise');
    await place.running('held');
    expect(childrenOf(run.pid)).toEqual([childOf(run.pid, 'keeper')]);
    place.letGo();
    expect(await run.ended).toBe(0);
  });
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The reaper of a run in one process; another one than `other`. */
function reaperOf(run: RunProcess, other?: number): Promise<number> {
  return waitFor('a reaper', () =>
    childrenOf(run.pid).find(
      (pid) => pid !== other && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('holdfast-reaper'),
    ),
  );
}
