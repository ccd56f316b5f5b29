/** `runtime dry-run --emit`: events as NDJSON, the same bytes for the same seed. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emit } from '../../../../dist/dryrun/plan/emit.js';
import { DEFAULT_PLAN } from '../../../../dist/dryrun/plan/plan.js';
import { MAIN, parsed, place } from '../../../support/command.js';
import { deferred } from '../../../support/deferred.js';
import { longTestAfter } from '../../../support/long.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');
const emitting = (...flags: string[]) => ['dry-run', '--emit', ...flags];

describe('the events', () => {
  longTestAfter(1, ['random', 'sequential', 'burst'])(
    'of one seed are the same bytes, timestamps included: %s',
    async (pattern) => {
      const here = place();
      const emitted = async (seed: string) => {
        const { stdout, exitCode, stderr } = await here.runtime(
          emitting('--pattern', pattern, '--seed', seed, '--count', '500'),
        );
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        return stdout;
      };
      const [one, again, other] = [await emitted('7'), await emitted('7'), await emitted('8')];
      expect(again).toBe(one);
      expect(other).not.toBe(one);
      expect(parsed(one)).toHaveLength(500);
      // Nothing was started, so nothing is there.
      expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
    },
  );

  test('are those of the duration, by default ten seconds, given out at once', async () => {
    const here = place();
    const { stdout } = await here.runtime(emitting('--rate', '0.5'));
    expect(parsed(stdout).map(({ eventId, timestamp }) => [eventId, timestamp])).toEqual([
      ['trade_1', '2024-01-01T00:00:00.000Z'],
      ['order_1', '2024-01-01T00:00:02.000Z'],
      ['position_1', '2024-01-01T00:00:04.000Z'],
      ['trade_2', '2024-01-01T00:00:06.000Z'],
      ['order_2', '2024-01-01T00:00:08.000Z'],
    ]);
  });

  test('come at their times with --wall-clock, and have them', async () => {
    const here = place();
    const before = Date.now();
    const { stdout } = await here.runtime(emitting('--rate', '20', '--count', '5', '--wall-clock'));
    const times = parsed(stdout).map(({ timestamp }) => Date.parse(String(timestamp)));
    expect(times[0]).toBeGreaterThanOrEqual(before);
    // The last one is planned 200 ms after the first; timers never fire a millisecond early.
    expect(times[4]! - times[0]!).toBeGreaterThanOrEqual(190);
    expect(times[4]).toBeLessThanOrEqual(Date.now());
  });

  test('are settled by the environment where no flag is given', async () => {
    const here = place();
    const env = { DRY_RUN_PATTERN: 'random', DRY_RUN_RATE: '100', DRY_RUN_SEED: '9', DRY_RUN_ACCOUNT: 'ENV' };
    const fromEnv = await here.runtime(emitting('--count', '20'), { env });
    const flags = ['--pattern', 'random', '--rate', '100', '--seed', '9', '--account', 'ENV'];
    const fromFlags = await here.runtime(emitting('--count', '20', ...flags));
    expect(fromEnv.stdout).toBe(fromFlags.stdout);
    expect(parsed(fromEnv.stdout)[0]).toMatchObject({ account: 'ENV' });
    const above = await here.runtime(emitting('--count', '20', '--seed', '10'), { env });
    expect(above.stdout).not.toBe(fromEnv.stdout);
  });

  test('may be of a set of one’s own, in TypeScript as well', async () => {
    const here = place();
    const { stdout, stderr } = await here.runtime(
      emitting('--events', join(FIXTURES, 'typed-events.ts'), '--count', '2'),
    );
    expect(stderr).toBe('');
    expect(parsed(stdout)).toMatchObject([
      { type: 'ping', eventId: 'ping_1', hop: 1, dryRun: true },
      { type: 'ping', eventId: 'ping_2', hop: 2, dryRun: true },
    ]);
  });

  test('end with the first that breaks its schema, behind whole lines', async () => {
    const here = place();
    here.write(
      'events.mjs',
      `const schema = { '~standard': { validate: ({ n }) => n < 700 ? {} : { issues: [{ message: 'is too many', path: ['n'] }] } } };
       export default { ping: { schema, make: (draw, n) => ({ n }) } };`,
    );
    const { stdout, stderr, exitCode } = await here.runtime(emitting('--events', 'events.mjs', '--count', '5000'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('runtime: event ping_700 does not match its schema: n: is too many\n');
    expect(parsed(stdout)).toHaveLength(699);
  });

  test('end with the first that is no JSON, and name it', async () => {
    const here = place();
    here.write(
      'events.mjs',
      `const schema = { '~standard': { validate: () => ({}) } };
       export default { ping: { schema, make: (draw, n) => ({ n: n < 3 ? n : 3n }) } };`,
    );
    const { stdout, stderr, exitCode } = await here.runtime(emitting('--events', 'events.mjs', '--count', '5'));
    expect(exitCode).toBe(1);
    expect(parsed(stdout)).toMatchObject([{ n: 1 }, { n: 2 }]);
    expect(stderr).toMatch(/^runtime: event ping_3 cannot be written as JSON: .*BigInt\n.*without --emit.*\n$/);
  });
});

describe('its reader', () => {
  test('may go: it ends as other commands do', async () => {
    const here = place();
    const { stdout } = await execa(
      'bash',
      ['-c', `"$0" "$1" dry-run --emit --count 1000000 | head -1; echo "\${PIPESTATUS[0]}"`, process.execPath, MAIN],
      {
        cwd: here.dir,
      },
    );
    const [first, status] = stdout.split('\n');
    expect(JSON.parse(first!)).toMatchObject({ eventId: 'trade_1' });
    expect(status).toBe('141');
  });

  test('may be slow: no more is made than it takes', async () => {
    const room = deferred();
    let taken = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        taken += String(chunk).split('\n').length - 1;
        void room.promise.then(() => done());
      },
    });
    const emitted = emit({ ...DEFAULT_PLAN, count: 5_000 }, slow);
    await waitFor('the first chunk', () => taken > 0);
    // Whoever did not wait would be done within these.
    for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(slow.writableLength).toBeLessThan(500 * 250);
    expect(taken).toBeLessThanOrEqual(500);
    room.resolve();
    await emitted;
    await waitFor('all of them', () => taken === 5_000);
  });

  test('that goes while it is waited for ends it', async () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => {} });
    stuck.on('error', () => {});
    const emitted = emit(DEFAULT_PLAN, stuck);
    await waitFor('something written', () => stuck.writableLength > 0);
    stuck.destroy(new Error('gone'));
    await emitted;
    // And one that has gone before.
    await emit(DEFAULT_PLAN, stuck);
  });

  test('that takes nothing any more does not keep it from ending on abort', async () => {
    const abort = new AbortController();
    const stuck = new Writable({ highWaterMark: 1, write: () => {} });
    const emitted = emit(DEFAULT_PLAN, stuck, abort.signal);
    await waitFor('something written', () => stuck.writableLength > 0);
    abort.abort();
    await emitted;
  });
});

test.skipIf(process.platform !== 'linux')('a disk that is full is told in words', async () => {
  const words = `dry-run --emit --count 100000 > /dev/full`;
  const { exitCode, stderr } = await execa('bash', ['-c', `"$0" "$1" ${words}`, process.execPath, MAIN], {
    reject: false,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^runtime: standard output cannot be written: ENOSPC: .*$/);
});

describe('Ctrl-C', () => {
  test.each([['SIGINT', 130] as const, ['SIGTERM', 143] as const])(
    'ends it behind a whole line: %s',
    async (signal, exitCode) => {
      const here = place();
      const command = here.start(emitting('--count', '1000000000'));
      let read = 0;
      command.stdout.on('data', (chunk: Buffer) => (read += chunk.length));
      await waitFor('events', () => read > 1_000_000);
      command.kill(signal);
      const ended = await command;
      expect(ended.exitCode).toBe(exitCode);
      expect(ended.stdout.endsWith('"dryRun":true}\n')).toBe(true);
    },
  );

  test('again does not wait for a reader that takes nothing', async () => {
    const fifo = join(tempDir(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, 'r+');
    const child = spawn(process.execPath, [MAIN, ...emitting('--count', '1000000000')], {
      stdio: ['ignore', reader, 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
      closeSync(reader);
    });
    // One line is read, and then no more: what is written next does not fit into the pipe.
    readSync(reader, Buffer.alloc(100));
    await waitFor('its end', () => {
      child.kill('SIGINT');
      return child.exitCode !== null;
    });
    expect(child.exitCode).toBe(130);
  });
});
