/** The command on a terminal: a pseudo-terminal of `script`, which every Linux has. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { processState } from '../../../../dist/system/process-state.js';
import { StateDir } from '../../../../dist/system/state-dir.js';
import { executorOf, lines, MAIN, place, type Place } from '../../../support/command.js';
import { longTest, longTestAfter } from '../../../support/long.js';
import { startTarget } from '../../../support/target.js';
import { waitFor } from '../../../support/wait-for.js';

const onLinux = describe.skipIf(process.platform !== 'linux');

/** Types `line` into a shell on a terminal of its own; `runtime` is the command. */
function terminal(
  { dir }: Place,
  line: string,
  { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
) {
  const setUp = `stty cols ${columns} rows 24; runtime() { ${process.execPath} ${MAIN} "$@"; }`;
  const screen = execa('script', ['-qefc', `bash -c '${setUp}; ${line}'`, '/dev/null'], {
    cwd: dir,
    reject: false,
    buffer: false,
    env: { TERM: 'xterm', NO_COLOR: '', RUNTIME_DIR: '', SHELL: '/bin/sh', ...env },
  });
  let raw = '';
  screen.stdout.on('data', (chunk: Buffer) => (raw += chunk.toString()));
  onTestFinished(() => void screen.kill('SIGKILL'));
  return {
    screen,
    raw: () => raw,
    type: (keys: string) => void screen.stdin.write(keys),
    shows: (what: RegExp) =>
      waitFor(`${what} on the terminal, which shows ${JSON.stringify(raw)}`, () => what.test(raw)),
    end: async () => {
      const { exitCode } = await screen;
      return { exitCode, raw };
    },
  };
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_Z = '\u001a';
const GATED = 'run work.mjs --tasks tasks.ndjson --handler gate --threads 2';

function withTasks(): Place {
  const here = place();
  here.write('tasks.ndjson', lines(10).replaceAll(/(\d+)\n/g, '{"id":"task-$1","input":$1}\n'));
  return here;
}

/** Each bar that was drawn, without its colours. */
function drawnBars(raw: string): string[] {
  const bars = raw.matchAll(/\u001b\[1G([^\r\n]*?)\u001b\[0?K/g);
  return [...bars].map(([, bar]) => bar!.replaceAll(/\u001b\[\d*m/g, ''));
}

/** The process that holds the lock of a run. */
function holderOf(here: Place, runId: string): number {
  const path = new StateDir(join(here.dir, '.runtime')).lockPath(runId);
  return new ProcessLock({ path, runId }).holder()!.pid;
}

onLinux('a run on a terminal', () => {
  test('shows a bar, lines above it, and takes it away at the end', async () => {
    const here = withTasks();
    here.write(
      'talk.mjs',
      "export default (id) => { if (id === 3) console.log('a line of task 3'); };\nexport { gate } from './work.mjs';",
    );
    const { shows, end } = terminal(here, GATED.replace('run work', 'runtime run talk'));
    await shows(/\] 0\/10, 2 running on 2 threads/);
    here.write('open', '');
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(0);
    // The bar's line was emptied, and the summary begins where it began.
    expect(raw).toMatch(/\u001b\[1G\u001b\[2K\u001b\[2mrun {8}\u001b\[0mtalk\r\n/);
    expect(raw).toContain('\u001b[32m10 done\u001b[0m');
    expect(raw).not.toMatch(/\u001b\[\?25l|\u001b\[\?7l/);
  });

  test('prints what tasks say above the bar', async () => {
    const here = withTasks();
    here.write('talk.mjs', 'export default async (id, { log }) => { console.log("says", id); log.info("logs"); };');
    const { end } = terminal(here, 'runtime run talk.mjs --tasks tasks.ndjson');
    const { raw } = await end();
    for (let id = 1; id <= 10; id++) expect(raw).toMatch(new RegExp(`(^|\n|\u001b\\[K)says ${id}\r\n`));
    expect(raw).toMatch(/\u001b\[32mINFO\u001b\[39m: .*logs/);
  });

  test('ends after Ctrl-C with what runs, and at once after a second one', async () => {
    const here = withTasks();
    const { shows, type, end } = terminal(here, `runtime ${GATED}`);
    await shows(/2 running on 2 threads/);
    type(CTRL_C);
    await shows(/SIGINT: waiting for 2 running tasks: task-1, task-2\r\n {2}Ctrl-C again interrupts them/);
    await shows(/draining/);
    type(CTRL_C);
    const { exitCode, raw } = await end();
    expect(raw).toContain('SIGINT again: interrupted tasks have 2s to stop');
    expect(raw).toMatch(/goes on with the 10 left\r\n$/);
    expect(exitCode).toBe(130);
  });

  test('ends when the terminal is closed; nothing is interrupted, and the lock is free', async () => {
    const here = withTasks();
    const { screen, shows } = terminal(here, `trap "" HUP; runtime ${GATED}; echo $? > exit`);
    await shows(/2 running on 2 threads/);
    screen.kill('SIGKILL');
    await here.until('work', ({ state }) => state === 'draining');
    here.write('open', '');
    await here.until('work', ({ state }) => state === 'idle');
    expect(await here.status('work')).toMatchObject({ state: 'idle', counts: { done: 2, queued: 8, running: 0 } });
    expect((await here.runtime(['lock', 'list'])).stderr).toMatch(/^no locks in /);
    const code = await waitFor(
      'the exit code',
      () => existsSync(join(here.dir, 'exit')) && readFileSync(join(here.dir, 'exit'), 'utf8'),
    );
    expect(code).toBe('129\n');
  });

  longTestAfter<[string, Record<string, string>, string]>(2, [
    ['a dumb terminal', { TERM: 'dumb' }, ''],
    ['NO_COLOR', { NO_COLOR: '1' }, ''],
    ['--no-color', {}, '--no-color'],
  ])('has no colours with %s', async (_, env, flag) => {
    const here = withTasks();
    const { end } = terminal(here, `runtime run work.mjs --threads 1 --tasks tasks.ndjson ${flag}`, { env });
    const { raw } = await end();
    expect(raw).toContain('run        work\r\n');
    expect(raw).not.toMatch(/\u001b\[\d+m/);
    if (env['TERM'] === 'dumb') expect(raw).not.toContain('\u001b');
  });

  test('says nothing at all with --quiet', async () => {
    const { end } = terminal(withTasks(), 'runtime run work.mjs --threads 1 --tasks tasks.ndjson --quiet');
    expect(await end()).toEqual({ exitCode: 0, raw: '' });
  });

  longTestAfter(2, [[1], [0], [20]])(
    'keeps its bar on one line of %d columns (0: it does not know)',
    async (columns) => {
      const here = withTasks();
      const { shows, end } = terminal(here, `runtime ${GATED}`, { columns });
      await shows(/\u001b\[1G/);
      here.write('open', '');
      const { raw } = await end();
      const drawn = drawnBars(raw);
      expect(drawn.length).toBeGreaterThan(0);
      for (const bar of drawn) expect(bar.length).toBeLessThan(columns || 80);
    },
  );

  test('follows the size of the terminal with its bar', async () => {
    const here = withTasks();
    const { shows, raw, end } = terminal(here, `tty > tty; runtime ${GATED}`);
    await shows(/2 running on 2 threads/);
    execFileSync('stty', ['-F', readFileSync(join(here.dir, 'tty'), 'utf8').trim(), 'cols', '20']);
    await waitFor('a bar that fits', () => drawnBars(raw()).at(-1)!.length < 20);
    here.write('open', '');
    expect((await end()).exitCode).toBe(0);
  });

  test('writes to the terminal from the background, also where others are stopped for that', async () => {
    const { end } = terminal(
      withTasks(),
      'set -m; stty tostop; runtime run work.mjs --threads 1 --tasks tasks.ndjson & wait $!',
    );
    const { exitCode, raw } = await end();
    expect(raw).toContain('10 done');
    expect(exitCode).toBe(0);
  });

  test('reads tasks that are typed, without a bar between them', async () => {
    const here = place();
    const { shows, type, end } = terminal(here, 'runtime run work.mjs --lines');
    await shows(/reading tasks from the terminal; Ctrl-D ends them/);
    type('one\r');
    await here.until('work', ({ counts }) => counts['done'] === 1);
    type(CTRL_D);
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(0);
    expect(raw).not.toContain('\u001b[1G');
    expect(raw).toContain('\u001b[32m1 done');
  });

  test('has whole lines of results, also where the bar would be', async () => {
    const { end } = terminal(withTasks(), 'runtime run work.mjs --threads 1 --tasks tasks.ndjson --results -');
    const { raw } = await end();
    const results = raw.split('\r\n').filter((line) => line.includes('"id"'));
    expect(results).toHaveLength(10);
    for (const line of results) expect(() => void JSON.parse(line)).not.toThrow();
  });

  test('that loses its executor tells so on a line of its own', async () => {
    const here = withTasks();
    const { shows, end } = terminal(here, `runtime ${GATED}`);
    await shows(/2 running on 2 threads/);
    process.kill(executorOf(holderOf(here, 'work')), 'SIGKILL');
    await shows(/\r\u001b\[Kruntime: the executor of work was ended by SIGKILL; starting another\r\n/);
    here.write('open', '');
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(0);
    expect(raw).toContain('1 restart\r\n');
  });
});

/** What a task has started writes its pid, then waits for the file "open". */
const PLAIN_CHILD = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
export default async () => {
  const child = spawn('sh', ['-c', 'echo $$ > child.tmp; mv child.tmp child; until [ -e open ]; do sleep 0.02; done; touch done']);
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error('the child ended with ' + (signal ?? code));
};
`;

function withChild(): Place {
  const here = place();
  here.write('tasks.ndjson', '{"id":"task-1","input":1}\n');
  here.write('child.mjs', PLAIN_CHILD);
  return here;
}

const childOfTask = (here: Place) =>
  waitFor('the child of the task', () => {
    const file = join(here.dir, 'child');
    return existsSync(file) && Number(readFileSync(file, 'utf8'));
  });
const letter = (pid: number) => processState(pid)?.letter;
/** A stopped job of a shell with job control, which waits for Enter before it goes on with `next`. */
const stoppedJob = (next: string) =>
  `set -m; runtime run child.mjs --threads 1 --tasks tasks.ndjson; echo "the shell again"; read; ${next}`;

onLinux('what a task has started without our help', () => {
  test('is left alone by the first Ctrl-C: its task comes to its end', async () => {
    const here = withChild();
    const { shows, type, end } = terminal(here, 'runtime run child.mjs --threads 1 --tasks tasks.ndjson');
    await childOfTask(here);
    type(CTRL_C);
    await shows(/SIGINT: waiting for 1 running task: task-1/);
    here.write('open', '');
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(130);
    expect(raw).toContain('1 done');
    expect(existsSync(join(here.dir, 'done'))).toBe(true);
  });

  test('is stopped by Ctrl-Z with all of the run, and goes on with it', async () => {
    const here = withChild();
    const { shows, type, end } = terminal(here, stoppedJob('fg; exit $?'));
    const child = await childOfTask(here);
    const holder = holderOf(here, 'child');
    const all = [holder, executorOf(holder), child];
    type(CTRL_Z);
    await shows(/the shell again/);
    // One that is just reading from the disk stops a moment later.
    await waitFor('all of them to stand', () => all.every((pid) => letter(pid) === 'T'));
    type('\r');
    await waitFor('all of them to go on', () => all.every((pid) => letter(pid) !== 'T'));
    here.write('open', '');
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(0);
    expect(raw).toContain('1 done');
  });

  longTest('is stopped by Ctrl-Z in one process as well, if we have started it', async () => {
    const here = withChild();
    here.write(
      'child.mjs',
      "export default (_, { exec }) => exec('sh', ['-c', 'echo $$ > child.tmp; mv child.tmp child; until [ -e open ]; do sleep 0.02; done']).then(() => {});",
    );
    const line = stoppedJob('fg; exit $?').replace('tasks.ndjson;', 'tasks.ndjson --no-supervise;');
    const { shows, type, end } = terminal(here, line);
    const child = await childOfTask(here);
    const all = [holderOf(here, 'child'), child];
    type(CTRL_Z);
    await shows(/the shell again/);
    await waitFor('all of them to stand', () => all.every((pid) => letter(pid) === 'T'));
    type('\r');
    await waitFor('all of them to go on', () => all.every((pid) => letter(pid) !== 'T'));
    here.write('open', '');
    expect((await end()).exitCode).toBe(0);
  });

  test('a run that is stopped and killed does not keep its lock', async () => {
    const here = withChild();
    const { shows, type } = terminal(here, stoppedJob('true'));
    const child = await childOfTask(here);
    const holder = holderOf(here, 'child');
    const executor = executorOf(holder);
    type(CTRL_Z);
    await shows(/the shell again/);
    process.kill(holder, 'SIGKILL');
    await here.until('child', ({ state }) => state === 'idle');
    await waitFor('the executor to end', () => [undefined, 'Z'].includes(letter(executor)));
    await waitFor('the child to go on', () => letter(child) !== 'T');
    here.write('open', '');
    // It would look for that file for ever: the folder goes with the test.
    await waitFor('the child to end', () => [undefined, 'Z'].includes(letter(child)));
  });

  test('stopped where no shell could let it go on, it goes on at once', async () => {
    const here = withChild();
    const { shows, type, end } = terminal(here, 'exec $NODE $MAIN run child.mjs --tasks tasks.ndjson', {
      env: { NODE: process.execPath, MAIN },
    });
    await childOfTask(here);
    type(CTRL_Z);
    await shows(/\^Z/);
    here.write('open', '');
    expect((await end()).exitCode).toBe(0);
  });
});

onLinux('status on a terminal', () => {
  test('has colours, and columns that stand under each other all the same', async () => {
    const here = place();
    for (const id of ['a', 'longer-name']) {
      await here.runtime(['run', 'work.mjs', '--lines', '--quiet', '--no-supervise', '--run-id', id], { input: 'x' });
    }
    const { end } = terminal(here, 'runtime status');
    const { raw } = await end();
    expect(raw).toBe(
      'a            \u001b[2midle\u001b[0m  \u001b[32m1 done\u001b[0m\r\nlonger-name  \u001b[2midle\u001b[0m  \u001b[32m1 done\u001b[0m\r\n',
    );
  });
});

onLinux('a look that is repeated on a terminal', () => {
  test('is drawn in place of the last one, and leaves that there after Ctrl-C', async () => {
    const { pid } = await startTarget('stuck.mjs');
    const { shows, type, end } = terminal(place(), `runtime inspect --watch ${pid} --max-pause 0ms`);
    // eslint-disable-next-line no-control-regex -- the cursor goes up, and what was there goes
    await shows(/main\u001b\[0m {2}[^]*\u001b\[\d+A\r\u001b\[J\u001b?[^]*main\u001b\[0m {2}/);
    type(CTRL_C);
    const { exitCode, raw } = await end();
    expect(exitCode).toBe(130);
    // It would be in the way of what is redrawn.
    expect(raw).not.toContain('what every thread awaits');
  });
});
