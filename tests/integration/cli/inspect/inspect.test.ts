import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Inspection } from '../../../../dist/debug/inspection.js';
import { listenersOf } from '../../../../dist/debug/process/listeners.js';
import { executorOf, parsed, place, started, type Place } from '../../../support/command.js';
import { ownTurns, startProgram } from '../../../support/inspected.js';
import { undocumented } from '../../../support/inspection-format.js';
import { longTestAfter } from '../../../support/long.js';
import { startTarget } from '../../../support/target.js';
import { waitFor } from '../../../support/wait-for.js';

/** So that runs of several tests at once need not wait for one port. */
const OWN_PORT = { NODE_OPTIONS: '--inspect-port=0', NODE_V8_COVERAGE: '' };
beforeEach(ownTurns);
vi.setConfig({ testTimeout: 90_000 });

const portsOf = (pid: number) => listenersOf(pid).map(({ port }) => port);

/** A run `name` with one task that waits for the file `open`. */
async function going({ start, until }: Place, name = 'work', flags: readonly string[] = []) {
  const args = [
    'run',
    'work.mjs',
    '--lines',
    '--handler',
    'gate',
    '--quiet',
    '--run-id',
    name,
    '--threads',
    '1',
    ...flags,
  ];
  const run = start(args, { input: '1\n', env: OWN_PORT });
  await until(name, (status) => started(status) === 1);
  return run.pid!;
}

describe('runtime inspect', () => {
  longTestAfter(1, [[[]], [['--no-supervise']]])(
    'of a run %j shows its task, in the process that runs it',
    async (flags: string[]) => {
      const here = place();
      const pid = await going(here, 'work', flags);
      const executor = flags.length === 0 ? executorOf(pid) : pid;
      // Each thread does something at times, and then is seen running: its task looks for a file every few ms.
      const { exitCode, stdout, stderr } = await waitFor(
        'all threads to be met waiting',
        async () => {
          const look = await here.runtime(['inspect', 'work', '--max-pause', '1m']);
          return /\nmain and worker \d+.* wait\n/.test(look.stdout) ? look : undefined;
        },
        60_000,
      );
      expect(stderr).toMatch(/^main is paused for about [\d.]+m?s while its heap is written$/m);
      expect(stdout).toMatch(new RegExp(`^process ${executor}, node `));
      expect(stdout).toMatch(/ task "[^"]+" \(handler gate, attempt 1, [\d.]+m?s\)\n/);
      expect(stdout).toMatch(/\n +└─ gate {2}work\.mjs:13:5\n +└─ timer, /);
      expect(exitCode).toBe(0);
      expect(portsOf(executor)).toEqual([]);
      here.write('open', '');
      await here.until('work', ({ state }) => state === 'idle');
      expect((await here.runtime(['results', 'work'])).stdout).toContain('"done"');
    },
  );

  test('takes digits for a process, unless a run of that name goes on; and says so where there are both', async () => {
    const here = place();
    const { pid } = await startTarget('stuck.mjs');
    const look = async (target: string) => {
      const { stdout, stderr } = await here.runtime(['inspect', target, '--json', '--max-pause', '0ms']);
      return { pid: (JSON.parse(stdout) as Inspection).pid, stderr };
    };
    const alone = await look(String(pid));
    expect(alone).toMatchObject({ pid });
    expect(alone.stderr).not.toContain('taken for');
    mkdirSync(join(here.dir, '.runtime/runs', String(pid)), { recursive: true, mode: 0o700 });
    expect(await look(String(pid))).toEqual({
      pid,
      stderr: expect.stringContaining(
        `${pid} is taken for a process: the run of that name is not going on\n`,
      ) as string,
    });
    const executor = executorOf(await going(here, String(pid)));
    expect(await look(String(pid))).toEqual({
      pid: executor,
      stderr: expect.stringContaining(
        `${pid} is taken for the run of that name; its executor is process ${executor}\n`,
      ) as string,
    });
  });

  test('says how the whole is seen, where a thread would have stood still for too long', async () => {
    const { runtime } = place();
    const { pid } = await startTarget('stuck.mjs');
    const { stdout, stderr, exitCode } = await runtime(['inspect', String(pid), '--max-pause', '1ms']);
    expect(stdout).toMatch(/ {2}note: what it awaits is not known: .* and 1ms are allowed/);
    expect(stdout).toContain('  open handles\n');
    // More on a machine that is busy.
    expect(stderr).toMatch(new RegExp(`what every thread awaits: runtime inspect ${pid} --max-pause \\d+s\\n`));
    expect(stdout).toMatch(/ and 1ms are allowed\n +\(--max-pause \d+s shows it\)\n/);
    expect(exitCode).toBe(0);
  });

  test('repeats a look until Ctrl-C, a document a line, and leaves the process as it found it', async () => {
    const { start } = place();
    const { pid } = await startTarget('stuck.mjs');
    const before = portsOf(pid);
    const watch = start(['inspect', '--watch', String(pid), '--json']);
    let stdout = '';
    watch.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    await waitFor('two looks', () => stdout.split('\n').length > 2);
    watch.kill('SIGINT');
    expect((await watch).exitCode).toBe(130);
    expect(parsed(stdout).map(({ schema, pid: seen }) => [schema, seen])).toEqual(parsed(stdout).map(() => [1, pid]));
    expect(portsOf(pid)).toEqual(before);
  });

  test('prints with --json one document, of which each field is documented', async () => {
    const here = place();
    await going(here);
    const { exitCode, stdout } = await here.runtime(['inspect', 'work', '--json', '--all', '--max-pause', '1m']);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const inspection = JSON.parse(stdout) as Inspection;
    expect(inspection.threads.map(({ awaits }) => awaits.length > 0)).toEqual([true, true]);
    expect(undocumented(inspection)).toEqual([]);
    expect(exitCode).toBe(0);
  });

  test('ended by a signal in the middle of a look lets the process go', async () => {
    const { start } = place();
    const { pid } = await startTarget('stuck.mjs', ['spins']);
    const before = portsOf(pid);
    const look = start(['inspect', String(pid), '--max-pause', '1m']);
    let stderr = '';
    look.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    await waitFor('a heap to be written', () => stderr.includes('is paused for'));
    look.kill('SIGTERM');
    expect(await look).toMatchObject({ exitCode: 143, stdout: '' });
    // Where its main thread was too busy to do that in time, a process beside the look sees to it.
    await waitFor('its inspector to be closed', () => portsOf(pid).length === before.length, 60_000);
  });

  test('killed while the process is in native code has it left as it was, as soon as it does anything again', async () => {
    const { start } = place();
    const { pid, child } = await startProgram(`
      import { execSync } from 'node:child_process';
      process.on('SIGUSR2', () => {
        console.log('blocks');
        execSync('sleep 2');
      });
      setInterval(() => {}, 1_000);
      console.log('up');`);
    const before = portsOf(pid);
    const look = start(['inspect', String(pid), '--max-pause', '0ms']);
    await waitFor('its inspector to open', () => portsOf(pid).length > before.length);
    process.kill(pid, 'SIGUSR2');
    await once(child.stdout!, 'data');
    look.kill('SIGKILL');
    await look;
    await waitFor('its inspector to be closed', () => portsOf(pid).length === before.length, 20_000);
  });

  test('ends with its reader', async () => {
    const { start } = place();
    const { pid } = await startTarget('stuck.mjs');
    const watch = start(['inspect', String(pid), '--watch', '100ms', '--max-pause', '0ms']);
    watch.stdout.once('data', () => watch.stdout.destroy());
    expect((await watch).exitCode).toBe(141);
    expect(portsOf(pid)).toHaveLength(1);
  });

  test('of what cannot be looked into says why, and what to do', async () => {
    const here = place();
    const { runtime } = here;
    here.write('open', '');
    await runtime(['run', 'work.mjs', '--lines', '--quiet'], { input: '1\n' });
    const other = here.start(['status', 'nothing']);
    onTestFinished(() => void other.kill('SIGKILL'));
    const refused = async (target: string) => {
      const { exitCode, stdout, stderr } = await runtime(['inspect', target]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      return stderr;
    };
    expect(await refused('4194305')).toMatch(/^runtime: there is no process 4194305\n.+\n$/);
    expect(await refused('1')).toMatch(/^runtime: process 1 .*\n.+\n$/);
    expect(await refused('wrok')).toMatch(
      /^runtime: there is no run "wrok" in .*did you mean "work"\?\nThere are: work\.\n$/,
    );
    expect(await refused('work')).toMatch(
      /^runtime: no executor is running for "work": there is nothing to look into\nHow the run is doing: runtime status work\n$/,
    );
  });

  longTestAfter(2, [
    ['nothing', [], ['<run-id|pid>: is missing', '`pgrep -a node`']],
    [
      'a flag alone',
      ['--jsn'],
      ['<run-id|pid>: is missing', '--jsn: is not a flag of runtime inspect; did you mean "--json"?'],
    ],
    [
      'every fault at once',
      ['a/b', '--watch', '3ms', '--max-pause', '5', '--wath', '1s', 'more', '--dir', ''],
      [
        '<run-id|pid>: must be the id of a run or of a process, got "a/b"',
        '--watch: must be 100ms to 24d 20h, got "3ms"',
        '--max-pause: "5" has no unit',
        '--dir: must be the path of a folder',
        '--wath: is not a flag of runtime inspect; did you mean "--watch"?',
        'more: is one argument too many',
      ],
    ],
  ])('typed wrong (%s) ends with 64', async (_, args, words) => {
    const { exitCode, stdout, stderr } = await place().runtime(['inspect', ...args]);
    expect(stderr).toMatch(/^runtime: nothing was inspected:\n/);
    for (const text of words) expect(stderr).toContain(text);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
  });
});
