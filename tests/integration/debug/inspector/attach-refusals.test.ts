import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { attachToProcess } from '../../../../dist/debug/inspector/attach-process.js';
import { evaluate } from '../../../../dist/debug/inspector/evaluate.js';
import { inspectable, refuseSignal } from '../../../../dist/debug/process/inspectable.js';
import { privateFolder } from '../../../../dist/system/private-folder.js';
import { isAlive, targetProcess } from '../../../../dist/debug/process/target-process.js';
import { rejection } from '../../../support/executors.js';
import { ownTurns, startProgram } from '../../../support/inspected.js';
import { otherNodes } from '../../../support/node-versions.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const SLEEPS = `console.log('up'); setInterval(() => {}, 1000);`;
const isRoot = process.getuid!() === 0;

/** Root may make networks of its own, where the system lets it. */
const mayUnshare = isRoot && spawnSync('unshare', ['-n', 'true']).status === 0;

const nodes = await otherNodes();

/** A process of Node, which starts one that asks for the shell both are in, and has a child itself. */
const ASKS_FOR_ITS_SHELL = `
  const { spawn, spawnSync } = require('node:child_process');
  if (process.argv[1] === undefined) {
    spawnSync(process.execPath, ['-e', ${JSON.stringify('eval(process.env.SCRIPT)')}, String(process.ppid)], {
      stdio: 'inherit',
      env: { ...process.env, SCRIPT: process._eval },
    });
  } else {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    import('${new URL('../../../../dist/debug/process/inspectable.js', import.meta.url).href}').then(({ inspectable }) => {
      try {
        inspectable(Number(process.argv[1]));
      } catch ({ hint }) {
        console.log(hint);
      }
      child.kill('SIGKILL');
    });
  }`;

beforeEach(ownTurns);

/** Message and hint of the refusal. */
async function refused(pid: number): Promise<string> {
  const { code, message, hint } = await rejection(attachToProcess(pid));
  expect(code).toBe('ERR_INSPECT_TARGET');
  return `${message} | ${String(hint)}`;
}

/** A program of another kind; its first line of output, and its pid. */
async function run(command: string, ...args: string[]): Promise<{ pid: number; said: string }> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_V8_COVERAGE: '' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
  });
  return { pid: child.pid!, said: String(said).trim() };
}

describe('there is a sentence for', () => {
  test('what is no process', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    expect(await refused(child.pid!)).toBe(`there is no process ${child.pid} | See those there are: ps -ef`);
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 60]) expect(await refused(pid)).toMatch(/is not a process id/);
  });

  test('the process that asks', async () => {
    expect(await refused(process.pid)).toMatch(/^process \d+ is the one that asks \| .*await inspectSelf\(\)$/);
  });

  test('a thread', async () => {
    const target = await startProgram(SLEEPS);
    const thread = readdirSync(`/proc/${target.pid}/task`).at(-1)!;
    expect(await refused(Number(thread))).toBe(
      `${thread} is a thread of process ${target.pid} | Look into all of it: runtime inspect ${target.pid}`,
    );
  });

  test('what is not Node, which gets no signal', async () => {
    // It would be ended by it, or would take it for something else.
    for (const script of ['echo up; exec sleep 60', 'trap "exit 1" USR1; echo up; while :; do sleep 1; done']) {
      const { pid } = await run('bash', '-c', script);
      await waitFor('it to be told apart', async () =>
        /^process \d+ is (sleep|bash), not Node \| Node processes there are: pgrep -a node$/.test(await refused(pid)),
      );
      expect(isAlive(targetProcess(pid)!)).toBe(true);
    }
  });

  test('the shell that started what is meant', async () => {
    const { pid, said } = await run(
      'bash',
      '-c',
      '"$0" -e "$1"; true',
      process.execPath,
      `console.log(process.pid); setInterval(() => {}, 1000)`,
    );
    expect(await refused(pid)).toBe(
      `process ${pid} is bash, not Node | It started one that is: runtime inspect ${said}`,
    );
  });

  test('a shell that started several, or none but the command itself', async () => {
    const sleeping = '"$0" -e "setInterval(() => {}, 1000)" & pids="$pids $!";';
    const { pid, said } = await run('bash', '-c', `${sleeping.repeat(4)} echo $pids; wait`, process.execPath);
    onTestFinished(() => said.split(' ').forEach((child) => process.kill(Number(child), 'SIGKILL')));
    await waitFor('all of them to be Node', async () => (await refused(pid)).includes('started 4'));
    expect(await refused(pid)).toBe(
      `process ${pid} is bash, not Node | It started 4 that are: runtime inspect <pid>, of ${said.split(' ', 3).join(', ')}, … (all: pgrep -a node)`,
    );

    // What the command starts for its work, and what started the command, are no more meant than itself.
    const shell = spawnSync('bash', ['-c', `"$0" -e "$1"; true`, process.execPath, ASKS_FOR_ITS_SHELL]);
    expect(String(shell.stdout)).toBe('Node processes there are: pgrep -a node\n');
  });

  test('one that is halted before its first line, which it stays', async () => {
    const { pid, said } = await run('bash', '-c', 'exec "$0" --inspect-brk=127.0.0.1:0 -e 0 2>&1', process.execPath);
    const port = /:(\d+)\//.exec(said)![1];
    for (let look = 0; look < 2; look++) {
      expect(await refused(pid)).toBe(
        `process ${pid} is halted before its first line, where it waits for a debugger | ` +
          `Let it go on from a debugger (node inspect 127.0.0.1:${port}, there: cont), or start it with --inspect`,
      );
    }
  });

  test('a process that is stopped', async () => {
    const target = await startProgram(SLEEPS);
    target.child.kill('SIGSTOP');
    await waitFor('it to stop', () => targetProcess(target.pid)?.letter === 'T');
    expect(await refused(target.pid)).toBe(
      `process ${target.pid} is stopped, and answers nothing | Let it go on: kill -CONT ${target.pid}`,
    );
    target.child.kill('SIGCONT');
  });

  test('one that has ended already, but for its parent', async () => {
    // `sleep` takes note of no child.
    const { said } = await run('bash', '-c', 'sleep 0.2 & echo $!; exec sleep 60');
    await waitFor('it to end', () => targetProcess(Number(said))?.letter === 'Z');
    expect(await refused(Number(said))).toMatch(/has ended, and waits for its parent to take note of it/);
  });

  test('one of another user', async () => {
    const target = await startProgram(SLEEPS);
    const own = process.getuid!();
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(own + 4_242);
    onTestFinished(() => getuid.mockRestore());
    expect(() => inspectable(target.pid)).toThrow(
      `process ${target.pid} belongs to user ${own}, and this is user ${own + 4_242}`,
    );
  });

  test.skipIf(!mayUnshare)('one with a network of its own, as in a container', async () => {
    const { pid } = await run('unshare', '-n', process.execPath, '-e', SLEEPS);
    expect(await refused(pid)).toMatch(/is in a container, or has a network of its own.*\| Look from inside/);
  });

  test.skipIf(nodes.length === 0).each([
    ['--disable-sigusr1', [], /Start it without that option, or with --inspect=127.0.0.1:0/],
    ['--permission', ['--allow-fs-read=*'], /Start it with --allow-inspector --inspect=127.0.0.1:0/],
  ])('one that blocks SIGUSR1, as of %s, which lives on (Node 22 to 26)', async (option, others, instead) => {
    for (const { path } of nodes) {
      // A listener is accepted there, and never called.
      const program = `process.on('SIGUSR1', () => {}); ${SLEEPS}`;
      const target = await startProgram(program, { path, nodeOptions: [option, ...others] });
      const why = await refused(target.pid);
      expect(why).toContain(`blocks SIGUSR1, which would open its inspector, as it was started with ${option} | `);
      expect(why).toMatch(instead);
      expect(target.child.exitCode ?? target.child.signalCode).toBeNull();
    }
  });

  test('one that blocks SIGUSR1 for a reason that its command line does not show', async () => {
    const target = await startProgram(SLEEPS);
    expect(refuseSignal({ ...targetProcess(target.pid)!, blocksUsr1: true })?.message).toMatch(
      /blocks SIGUSR1, which would open its inspector, as with --disable-sigusr1 or --permission$/,
    );
  });

  test('one that has not come to its inspector yet, as soon as it has', async () => {
    const child = spawn(process.execPath, ['--inspect-port=0', '-e', SLEEPS], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const { threads, detach } = await attachToProcess(child.pid!);
    expect(threads).toHaveLength(1);
    await detach();
  });

  test('one that takes SIGUSR1 for itself', async () => {
    const target = await startProgram(`process.on('SIGUSR1', () => {}); ${SLEEPS}`);
    const error = await rejection(attachToProcess(target.pid, { waitMs: 400 }));
    expect(error.message).toMatch(/has not answered in 400ms: .*; or its program has taken SIGUSR1 for itself$/);
  });
});

test.skipIf(!isRoot)('root looks into the processes of others, which can write where it reads', async () => {
  const target = await startProgram(SLEEPS, { uid: 65_534 });
  const { threads, folder, detach } = await attachToProcess(target.pid);
  const { session } = threads[0]!;
  expect(await evaluate(session, 'process.getuid()')).toBe(65_534);
  await evaluate(session, `builtin('fs').writeFileSync(${JSON.stringify(join(folder, 'snapshot'))}, '')`);
  expect(readdirSync(folder)).toEqual(['snapshot']);
  await detach();
});

test.skipIf(!isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0)(
  'a process with files of its own writes where we read',
  async () => {
    const own = tempDir();
    const { pid } = await run(
      'unshare',
      '-m',
      'bash',
      '-c',
      `mount --bind "$0" /tmp && exec "$@"`,
      own,
      process.execPath,
      '-e',
      SLEEPS,
    );
    const { threads, folder, detach } = await attachToProcess(pid);
    await evaluate(threads[0]!.session, `builtin('fs').writeFileSync(${JSON.stringify(join(folder, 'snapshot'))}, '')`);
    expect(readdirSync(folder)).toEqual(['snapshot']);
    await detach();
  },
);

describe('the folder in which turns are taken', () => {
  test('is that of the session, if it is ours alone', () => {
    expect(privateFolder()).toBe(join(process.env['XDG_RUNTIME_DIR']!, 'holdfast'));
  });

  test('is below the temporary one where that of the session is not ours alone, or is no folder', () => {
    vi.stubEnv('TMPDIR', tempDir());
    onTestFinished(() => void vi.unstubAllEnvs());
    const below = join(process.env['TMPDIR']!, `holdfast-${process.getuid!()}`);
    chmodSync(process.env['XDG_RUNTIME_DIR']!, 0o755);
    expect(privateFolder()).toBe(below);
    for (const other of ['', 'relative', '/nowhere/at/all', '/dev/null']) {
      vi.stubEnv('XDG_RUNTIME_DIR', other);
      expect(privateFolder()).toBe(below);
    }
  });

  test('is refused when others may have a hand in it, or it cannot be made', () => {
    const folder = join(process.env['XDG_RUNTIME_DIR']!, 'holdfast');
    symlinkSync(tempDir(), folder);
    expect(() => privateFolder()).toThrow(
      expect.objectContaining({
        code: 'ERR_STATE_DIR',
        message: `cannot use ${folder}: it is not a folder of this user alone (mode 0700)`,
      }) as Error,
    );
    vi.stubEnv('XDG_RUNTIME_DIR', '');
    vi.stubEnv('TMPDIR', tempDir());
    onTestFinished(() => void vi.unstubAllEnvs());
    const below = join(process.env['TMPDIR']!, `holdfast-${process.getuid!()}`);
    mkdirSync(below);
    chmodSync(below, 0o770);
    expect(() => privateFolder()).toThrow('is not a folder of this user alone');
    vi.stubEnv('TMPDIR', '/dev/null');
    expect(() => privateFolder()).toThrow(/cannot use .*: ENOTDIR/);
  });
});
