import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ExecutorStatus } from '../../../../dist/index.js';
import { SystemdNotifier, watchdogOf } from '../../../../dist/runtime/health/systemd.js';
import { executorOf, place, started, type Place } from '../../../support/command.js';
import { longTest } from '../../../support/long.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

/** In the place of systemd's own program: writes down what it is told, and that it is the only one of its kind. */
const STAND_IN = `#!/bin/sh
mkdir "$NOTIFY_SOCKET.busy" 2>/dev/null || echo "TWO AT A TIME" >> "$NOTIFY_SOCKET"
for line in "$@"; do echo "$line" >> "$NOTIFY_SOCKET"; done
sleep 0.02
rmdir "$NOTIFY_SOCKET.busy"
`;

/** A place with the stand-in; `told` is what it was told so far. */
function standIn(here = place(), program = STAND_IN) {
  const path = here.write('systemd-notify', program);
  chmodSync(path, 0o755);
  const file = join(here.dir, 'notified');
  return {
    here,
    env: { NOTIFY_SOCKET: file, PATH: `${here.dir}:${process.env['PATH']}` },
    told: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []),
  };
}

/** Starts a run as a service, with a task that waits for the file `open`. */
async function service(here: Place, env: Record<string, string>, flags: readonly string[] = []) {
  const run = here.start(['run', 'work.mjs', '--lines', '--handler', 'gate', '--quiet', '--threads', '1', ...flags], {
    input: '1\n',
    env,
  });
  await here.until('work', (status) => started(status) === 1);
  return { pid: run.pid!, ended: () => run };
}

const healthOf = (executor: unknown) => (executor as ExecutorStatus | null)?.health;

describe.each([[[]], [['--no-supervise']]])('a run as a service of systemd %j', (flags: string[]) => {
  const attempt = flags.length === 0 ? test : longTest;

  attempt('tells that it is ready, what it does, that it lives, and that it ends', async () => {
    const { here, env, told } = standIn();
    const { ended } = await service(here, { ...env, WATCHDOG_USEC: '2000000' }, flags);
    const count = (line: string) => told().filter((each) => each === line).length;
    await waitFor('the watchdog to be fed', () => count('WATCHDOG=1') >= 3);
    expect(told().indexOf('READY=1')).toBeLessThan(2);
    expect(told()).toContain('STATUS=running 1 task, 0 waiting');
    here.write('open', '');
    expect((await ended()).exitCode).toBe(0);
    await waitFor('its end', () => count('STOPPING=1') > 0);
    expect([count('READY=1'), count('STOPPING=1'), count('TWO AT A TIME')]).toEqual([1, 1, 0]);
    expect(told().at(-1)).toBe('STOPPING=1');
  });
});

describe('a run as a service of systemd', () => {
  test('does not wait for ever for a systemd that does not read, and says so', async () => {
    const { here, env } = standIn(undefined, '#!/bin/sh\nexec sleep 60\n');
    const { stderr, exitCode } = await here.runtime(['run', 'work.mjs', '--lines', '--threads', '1'], {
      input: '1\n',
      env,
    });
    expect(stderr).toContain('systemd cannot be notified: systemd-notify was not done within 2s');
    expect(exitCode).toBe(0);
  });

  test('says so when it is told to stop, and what it waits for', async () => {
    const { here, env, told } = standIn();
    const { pid, ended } = await service(here, env);
    process.kill(pid, 'SIGTERM');
    await waitFor('it to be told', () => told().includes('STOPPING=1'));
    expect(told()).toContain('STATUS=waiting for 1 running task');
    expect(told()).not.toContain('WATCHDOG=1');
    here.write('open', '');
    expect((await ended()).exitCode).toBe(143);
  });

  test('feeds the watchdog of its supervisor and its own, and nobody else`s', async () => {
    const { here, env, told } = standIn();
    await service(here, { ...env, WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' });
    await here.until('work', ({ executor }) => (healthOf(executor)?.lastBeat?.count ?? 0) > 3);
    expect(told()).not.toContain('WATCHDOG=1');
    expect(told()).toContain('READY=1');
  });

  test('lets the watchdog go hungry while no beat comes', async () => {
    const { here, env, told } = standIn();
    const { pid } = await service(here, { ...env, WATCHDOG_USEC: '2000000' });
    const fed = () => told().filter((line) => line === 'WATCHDOG=1').length;
    await waitFor('it to be fed', () => fed() > 0);
    const executor = executorOf(pid);
    process.kill(executor, 'SIGSTOP');
    const before = fed();
    const stopped = performance.now();
    await waitFor('some beats to be missed', () => performance.now() - stopped > 2500);
    expect(fed() - before).toBeLessThanOrEqual(1);
    process.kill(executor, 'SIGCONT');
    await waitFor('it to be fed again', () => fed() > before + 1);
  });

  longTest('lets the watchdog go hungry also while it runs itself, and a thread makes no progress', async () => {
    const { here, env, told } = standIn();
    here.write(
      'block.mjs',
      `import { existsSync } from 'node:fs';
       const waits = new Int32Array(new SharedArrayBuffer(4));
       // As if it spun, but it takes no time from others.
       export default () => { while (!existsSync('open')) Atomics.wait(waits, 0, 0, 20); };`,
    );
    const flags = ['--quiet', '--threads', '1', '--stall-after', '100ms'];
    const run = here.start(['run', 'block.mjs', '--lines', ...flags], {
      input: '1\n',
      env: { ...env, WATCHDOG_USEC: '2000000' },
    });
    const fed = () => told().filter((line) => line === 'WATCHDOG=1').length;
    const missed = (count: number) =>
      here.until('block', ({ executor }) => (healthOf(executor)?.missedBeats ?? 0) >= count);
    await missed(1);
    const before = fed();
    await missed(5);
    // One may have been on its way.
    expect(fed() - before).toBeLessThanOrEqual(1);
    here.write('open', '');
    expect((await run).exitCode).toBe(0);
  });

  test('says once that it cannot be told, and goes on', async () => {
    const here = place();
    const { env } = standIn(here, '#!/bin/sh\necho "no such socket" >&2\nexit 1\n');
    const failing = await here.runtime(['run', 'work.mjs', '--lines', '--threads', '1'], { input: '1\n', env });
    expect(failing.exitCode).toBe(0);
    expect(failing.stderr.match(/systemd cannot be notified: no such socket/g)).toHaveLength(1);
  });

  test('says that a watchdog is too impatient for a beat a second', async () => {
    const { here, env } = standIn();
    const { stderr } = await here.runtime(['run', 'work.mjs', '--lines', '--threads', '1'], {
      input: '1\n',
      env: { ...env, WATCHDOG_USEC: '1500000' },
    });
    expect(stderr).toContain('WatchdogSec=1.5s is too short: beats come once a second, so it must be 2s or more');
  });

  test('without systemd tells nobody', async () => {
    const { here, env, told } = standIn();
    await here.runtime(['run', 'work.mjs', '--lines', '--threads', '1'], {
      input: '1\n',
      env: { PATH: env.PATH, NOTIFY_SOCKET: '' },
    });
    expect(told()).toEqual([]);
  });
});

describe('the notifier', () => {
  test.each([
    ['there is no such program', () => tempDir(), 'there is no program systemd-notify'],
    ['what is on the path is no folder', () => fileURLToPath(import.meta.url), 'spawn ENOTDIR'],
  ])('says once that %s, and harms nothing', async (_, folder, why) => {
    const path = process.env['PATH'];
    onTestFinished(() => void (process.env['PATH'] = path));
    process.env['PATH'] = folder();
    const trouble: string[] = [];
    const notifier = new SystemdNotifier({ watchdogMs: 10, onTrouble: ({ message }) => trouble.push(message) });
    notifier.ready('a');
    await notifier.close();
    notifier.beat('b');
    notifier.stopping('c');
    notifier.stopping('d');
    await notifier.close();
    expect(trouble).toEqual([`systemd cannot be notified: ${why}`]);
  });

  test.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '11' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '12' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '13' }, undefined],
  ])('of %j knows a watchdog of %j ms', (env, watchdogMs) => {
    expect(watchdogOf(env, [11, 12])).toBe(watchdogMs);
  });
});

/** Receives datagrams as systemd does, and closes what is sent along: the sender waits for that. */
const RECEIVER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    data, more, _, _ = s.recvmsg(65536, 1024)
    for level, kind, fds in more:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array('i', fds): os.close(fd)
    print(data.decode(), flush=True)
`;

const missing = ['systemd-notify', 'python3'].filter((program) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
});
if (missing.length > 0) {
  process.stderr.write(`NOT TESTED: the real systemd-notify; there is no ${missing.join(', no ')} on this machine\n`);
}

test.skipIf(missing.length > 0)('the real systemd-notify sends it all, by datagrams, to a real socket', async () => {
  const here = place();
  const socket = join(here.dir, 'notify.sock');
  const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void receiver.kill('SIGKILL'));
  let received = '';
  receiver.stdout.on('data', (chunk: Buffer) => (received += String(chunk)));
  await waitFor('the socket', () => existsSync(socket));
  const { ended } = await service(here, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000' });
  const all = ['WATCHDOG=1', 'STATUS=running 1 task, 0 waiting'];
  await waitFor('a feeding, and a status', () => all.every((line) => received.includes(line)));
  here.write('open', '');
  expect((await ended()).exitCode).toBe(0);
  await waitFor('the end', () => received.includes('STOPPING=1'));
  const lines = received.split('\n').filter((line) => line !== '' && line !== 'BARRIER=1');
  expect(lines).toContain('READY=1');
  for (const line of lines) expect(line).toMatch(/^(READY=1|STOPPING=1|WATCHDOG=1|STATUS=.+)$/);
});
