import { describe, expect, test } from 'vitest';
import { place } from '../../../../support/command.js';
import { startedExecutor } from '../../../../support/executors.js';
import { longTestAfter } from '../../../../support/long.js';

const JOBS = `import { setTimeout as sleep } from 'node:timers/promises';
async function poll() {
  for (;;) await sleep(60_000);
}
export function leaves(input) {
  void poll();
  return input;
}
export async function clean(input) {
  await sleep(1);
  return input;
}
`;

describe('runtime run --fail-on-leak', () => {
  longTestAfter(1, [[[]], [['--no-supervise']]])(
    'tells what tasks have left behind in each thread, and exits with 1, though all are done (%j)',
    async (flags: string[]) => {
      const { write, runtime } = place();
      write('jobs.mjs', JOBS);
      write('tasks.ndjson', '{"input":1,"handler":"leaves"}\n{"input":2,"handler":"leaves"}\n');
      const run = ['run', 'jobs.mjs', '--tasks', 'tasks.ndjson', '--threads', '1', '--fail-on-leak', '--json'];
      const { stdout, stderr, exitCode } = await runtime([...run, ...flags]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('runtime: tasks left async functions behind in the threads');
      expect(stderr).toMatch(/\nthread 1\n└─ poll ×2 +\S*jobs\.mjs:3:12\n {3}└─ timer, due in .* ×2\n/);
      expect(JSON.parse(stdout)).toMatchObject({
        counts: { done: 2 },
        leaks: [{ thread: 1, awaits: [{ name: 'poll', count: 2 }] }],
      });
    },
  );

  test('exits with 0 where nothing is left; nor does it look where it is not asked to', async () => {
    const { write, runtime } = place();
    write('jobs.mjs', JOBS);
    write('runtime.config.json', '{"run":{"failOnLeak":true}}');
    const run = (handler: string, ...flags: string[]) =>
      runtime(
        [
          'run',
          'jobs.mjs',
          '--lines',
          '--handler',
          handler,
          '--run-id',
          handler,
          '--threads',
          '1',
          '--json',
          '--no-supervise',
          ...flags,
        ],
        {
          input: '1\n2\n',
        },
      );
    const clean = await run('clean');
    expect([clean.exitCode, JSON.parse(clean.stdout)]).toEqual([0, expect.objectContaining({ leaks: [] })]);
    const unasked = await run('leaves', '--no-fail-on-leak');
    expect([unasked.exitCode, JSON.parse(unasked.stdout)]).toEqual([0, expect.not.objectContaining({ leaks: [] })]);
    expect(unasked.stderr).not.toContain('poll');
  });
});

const STREAMS = `import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
const kept = [];
const made = (path, options) => {
  const stream = createWriteStream(path, options);
  kept.push(stream);
  return stream;
};
export function gathers(rows) {
  made('out.csv').write('x'.repeat(rows));
}
export function ends(rows) {
  made('out.csv').end('x'.repeat(rows));
}
export async function idles(path) {
  const stream = made(path);
  await new Promise((resolve) => stream.write('x', resolve));
}
export async function byHandle(path) {
  const stream = (await open(path, 'w')).createWriteStream();
  kept.push(stream);
  await new Promise((resolve) => stream.write('x', resolve));
}
export async function clean(path) {
  made('', { fd: 2, autoClose: false });
  made(path).destroy();
  const stream = made(path);
  stream.end('x');
  await finished(stream);
}
`;
const TORN_DOWN = `${STREAMS}
export async function teardown() {
  await Promise.all(kept.map((stream) => finished(stream.end())));
}
`;

describe('runtime run --fail-on-leak, of streams to files', () => {
  const leaksOf = async (module: string, handler: string, input: unknown) => {
    const { write, runtime } = place();
    write('jobs.mjs', module);
    const flags = ['--handler', handler, '--threads', '1', '--no-supervise', '--fail-on-leak', '--json'];
    write('tasks.ndjson', JSON.stringify({ input }));
    const { stdout, stderr, exitCode } = await runtime(['run', 'jobs.mjs', '--tasks', 'tasks.ndjson', ...flags]);
    const { leaks, counts } = JSON.parse(stdout) as { leaks: unknown; counts: { done: number } };
    expect(counts.done).toBe(1);
    return { exitCode, stderr, leaks };
  };

  longTestAfter(1, ['gathers', 'ends'])('names one whose bytes are lost, though all are done (%s)', async (handler) => {
    const { exitCode, stderr, leaks } = await leaksOf(STREAMS, handler, 17);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'runtime: tasks left file streams open in the threads: what they have not written is lost (--fail-on-leak):\n' +
        'thread 1\n└─ open file stream out.csv (17 bytes not written)\n',
    );
    expect(leaks).toEqual([{ thread: 1, awaits: [], openStreams: [{ path: 'out.csv', unwrittenBytes: 17 }] }]);
  });

  test('names one that has written all and is not closed; its path steers no terminal', async () => {
    const { exitCode, stderr, leaks } = await leaksOf(STREAMS, 'idles', 'a\u001b[2J\nb.csv');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('thread 1\n└─ open file stream a\\u001b[2J\\u000ab.csv\n');
    expect(leaks).toMatchObject([{ openStreams: [{ path: 'a\u001b[2J\nb.csv', unwrittenBytes: 0 }] }]);
  });

  test('names that of a FileHandle by its file', async () => {
    const { exitCode, leaks } = await leaksOf(STREAMS, 'byHandle', 'out.csv');
    const path: unknown = process.platform === 'linux' ? expect.stringMatching(/\/out\.csv$/) : null;
    expect([exitCode, leaks]).toEqual([1, [expect.objectContaining({ openStreams: [{ path, unwrittenBytes: 0 }] })]]);
  });

  test.each([
    ['destroyed, written to the end, or standard error', STREAMS, 'clean', 'out.csv'],
    ['ended by teardown', TORN_DOWN, 'gathers', 17],
  ])('counts none that is %s', async (_what, module, handler, input) => {
    const { exitCode, leaks } = await leaksOf(module, handler, input);
    expect([exitCode, leaks]).toEqual([0, []]);
  });
});

test('an executor tells what its tasks have left, thread by thread', async () => {
  const executor = await startedExecutor({ threads: 2 });
  expect(await executor.leftPending()).toEqual([]);
  await executor.submit('leave', 60_000);
  expect(await executor.leftPending()).toMatchObject([{ awaits: [{ name: 'wait' }], unknown: undefined }]);
});
