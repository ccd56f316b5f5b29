import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { longTestAfter } from '../support/long.js';
import { tempDir } from '../support/temp-dir.js';

const ROOT = join(import.meta.dirname, '../..');

/** Runs node in the project's folder; its state goes to `dir`. */
function node(dir: string, args: string[], input = '') {
  const env = { RUNTIME_DIR: dir, NO_COLOR: '1' };
  return execa(process.execPath, args, { cwd: ROOT, env, input, reject: false });
}

function run(dir: string, args: string[], input?: string) {
  return node(dir, ['dist/cli/main.js', 'run', ...args], input);
}

interface Line {
  id: string;
  state: string;
  attempts: number;
  result?: unknown;
  error?: { message: string };
}

function outcomes(stdout: string): Map<string, Line> {
  const lines = stdout.split('\n').map((line) => JSON.parse(line) as Line);
  return new Map(lines.map((line) => [line.id, line]));
}

test('the job of `npm start` tells of every file what it holds and what it would weigh', async () => {
  const { exitCode, stdout } = await run(tempDir(), ['examples/checksum.mjs', '--each', 'LICENSE', '--results', '-']);
  expect(exitCode).toBe(0);
  const { result } = outcomes(stdout).get('LICENSE')!;
  expect(result).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  const { bytes, gzip, brotli } = result as Record<string, number>;
  expect(bytes).toBeGreaterThan(gzip!);
  expect(gzip).toBeGreaterThan(brotli!);
});

test('the job of `npm start`, typed again, says that nothing was left to do', async () => {
  const dir = tempDir();
  const args = ['examples/checksum.mjs', '--each', 'examples/*'];
  expect((await run(dir, args)).exitCode).toBe(0);
  const again = await run(dir, args);
  expect(again.exitCode).toBe(0);
  expect(again.stderr).toContain('nothing was left to do');
});

test('the task file comes with handlers, priorities, retries and timeouts', async () => {
  const args = ['examples/orders.mjs', '--tasks', 'examples/tasks.ndjson', '--results', '-', '--threads', '1'];
  const { exitCode, stdout } = await run(tempDir(), args);
  expect(exitCode).toBe(3);
  const all = outcomes(stdout);
  expect([...all.keys()][0]).toBe('invoice-18');
  expect(Object.fromEntries([...all].map(([id, { state, attempts }]) => [id, `${state} ${attempts}`]))).toEqual({
    'invoice-17': 'done 1',
    'invoice-18': 'done 1',
    'charge-17': 'done 2',
    'report-week': 'done 1',
    'report-year': 'timed-out 1',
  });
});

longTestAfter(2, ['waits', 'spins', 'computes'])(
  'a handler that %s for ever is ended by its timeout',
  async (handler) => {
    const args = ['examples/stuck.mjs', '--lines', '--handler', handler, '--timeout', '200ms', '--grace', '100ms'];
    const { exitCode, stdout } = await run(tempDir(), [...args, '--results', '-'], '1\n2\n');
    expect(exitCode).toBe(3);
    const states = [...outcomes(stdout).values()].map(({ state, error }) => ({
      state,
      byForce: /thread was ended/.test(error!.message),
    }));
    expect(states).toEqual(Array.from({ length: 2 }, () => ({ state: 'timed-out', byForce: handler === 'spins' })));
  },
);

test('the program with an executor of its own prints what its tasks returned, and goes on with them the next time', async () => {
  const dir = tempDir();
  for (const time of ['first', 'second']) {
    const { exitCode, stdout, stderr } = await node(dir, ['examples/from-code.mjs', 'examples']);
    expect({ time, exitCode, stderr }).toEqual({ time, exitCode: 0, stderr: '' });
    const files = readdirSync(join(ROOT, 'examples')).length;
    const lines = [
      /^package\.json [0-9a-f]{8} \d+ bytes$/,
      /^ERR_TASK_FAILED: ENOENT$/,
      new RegExp(`^${files} files in examples: \\d+ bytes$`),
    ];
    expect(stdout.split('\n')).toEqual(lines.map((line) => expect.stringMatching(line) as string));
  }
});

test('the set of events of one’s own is made, typed and taken by the handler beside it', async () => {
  const events = ['--events', 'examples/events.mjs', '--pattern', 'random', '--rate', '200', '--count', '20'];
  const args = ['dist/cli/main.js', 'dry-run', ...events, '--handler', 'examples/events.mjs#take'];
  const dir = tempDir();
  const { exitCode, stdout, stderr } = await node(dir, args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^events {5}20: \d+ login, \d+ payment$/m);
  const { stdout: results } = await node(dir, ['dist/cli/main.js', 'results', 'dry-run']);
  for (const { id, result } of outcomes(results).values()) {
    expect(Object.keys(result as object)).toEqual([id.startsWith('login_') ? 'greeted' : 'charged']);
  }
});
