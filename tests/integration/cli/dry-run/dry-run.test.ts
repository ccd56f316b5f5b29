/** `runtime dry-run` through a real executor: every event is consumed, and the report tells what became of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { DryRunReport } from '../../../../dist/dryrun/measure/report.js';
import { MAIN, parsed, place, started, type Place } from '../../../support/command.js';
import { longTestAfter } from '../../../support/long.js';
import { waitFor } from '../../../support/wait-for.js';

const KEEP = `
  import { appendFileSync } from 'node:fs';
  export const keep = (event) => appendFileSync('kept', JSON.stringify(event) + '\\n');`;

function withHandlers(): Place {
  const here = place();
  here.write('keep.mjs', KEEP);
  return here;
}

const kept = ({ dir }: Place) => parsed(readFileSync(join(dir, 'kept'), 'utf8'));

async function reportOf(here: Place, ...flags: string[]): Promise<DryRunReport & { exitCode: number | undefined }> {
  const { stdout, stderr, exitCode } = await here.runtime([
    'dry-run',
    '--json',
    '--rate',
    '500',
    '--threads',
    '1',
    ...flags,
  ]);
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as DryRunReport), exitCode };
}

describe('a dry run', () => {
  longTestAfter(1, ['random', 'sequential', 'burst'])(
    'starts, sends every event of the plan, and stops: %s',
    async (pattern) => {
      const here = place();
      const report = await reportOf(here, '--pattern', pattern, '--count', '200');
      expect(report).toMatchObject({
        schema: 1,
        runId: 'dry-run',
        pattern,
        rate: 500,
        seed: 42,
        events: 200,
        outcomes: { done: 200, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 },
        lost: 0,
        duplicates: 0,
        unfinished: 0,
        stoppedBy: null,
        exitCode: 0,
      });
      expect(Object.values(report.byType).reduce((sum, count) => sum + count, 0)).toBe(200);
      for (const times of [report.arrivalLagMs, report.startLagMs, report.latencyMs]) {
        const { p50, p95, p99, max } = times!;
        expect([p50, p95, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p95, p99, max]);
      }
      // An event is recorded after it was started, and started after it was submitted.
      expect(report.latencyMs!.p50).toBeGreaterThan(report.startLagMs!.p50);
      expect(report.latencyHistogram.reduce((sum, { count }) => sum + count, 0)).toBe(200);
      const { planned, actual } = report.timeline;
      expect(planned).toHaveLength(actual.length);
      expect(await here.status('dry-run')).toMatchObject({ state: 'idle', counts: { done: 200 } });
    },
  );

  test('shows a report to people, on standard output', async () => {
    const { stdout, stderr, exitCode } = await place().runtime([
      'dry-run',
      '--pattern',
      'burst',
      '--rate',
      '500',
      '--duration',
      '500ms',
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^dry run {4}burst at 500\/s, bursts of 3 to 10, for 500ms, seed 42\n/);
    expect(stdout).toMatch(/^outcomes {3}\d+ done, 0 lost, 0 duplicates$/m);
    for (const label of ['events', 'throughput', 'submitted', 'started', 'latency', 'arrivals', 'latencies']) {
      expect(stdout).toMatch(new RegExp(`^${label} `, 'm'));
    }
    // Bursts, with pauses between them.
    expect(stdout).toMatch(/^ {2}planned {2}[▁-█]( +[▁-█]){5,}$/m);
  });

  test('makes the same events with the same seed, whatever threads they run on', async () => {
    const here = withHandlers();
    const flags = ['--handler', 'keep.mjs', '--pattern', 'random', '--count', '50', '--seed', '9', '--threads', '2'];
    await reportOf(here, ...flags);
    const emitted = await here.runtime(['dry-run', '--emit', '--rate', '500', ...flags]);
    const byId = (events: Record<string, unknown>[]) =>
      events.toSorted((a, b) => String(a['eventId']).localeCompare(String(b['eventId'])));
    expect(byId(kept(here))).toEqual(byId(parsed(emitted.stdout)));
  });

  test('starts over each time, and leaves its outcomes to be read', async () => {
    const here = place();
    await reportOf(here, '--count', '30');
    const second = await reportOf(here, '--count', '10');
    expect(second).toMatchObject({ events: 10, lost: 0, duplicates: 0, exitCode: 0 });
    const { stdout } = await here.runtime(['results', 'dry-run']);
    expect(parsed(stdout).map(({ id }) => id)).toHaveLength(10);
    expect(parsed(stdout)[0]).toMatchObject({ handler: 'consume', state: 'done', result: { eventId: 'trade_1' } });
  });

  test('in memory leaves nothing behind', async () => {
    const here = place();
    const report = await reportOf(here, '--no-durable', '--count', '20');
    expect(report).toMatchObject({ outcomes: { done: 20 }, lost: 0, exitCode: 0 });
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });

  test('is quiet when it is asked to be', async () => {
    const { stdout, stderr, exitCode } = await place().runtime(['dry-run', '--quiet', '--count', '3', '--rate', '100']);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });
});

describe('a handler of one’s own', () => {
  test('takes the events, as they are emitted', async () => {
    const here = withHandlers();
    const { exitCode } = await reportOf(here, '--handler', 'keep.mjs#keep', '--count', '4', '--account', 'A-1');
    expect(exitCode).toBe(0);
    expect(kept(here)[0]).toEqual({
      type: 'trade',
      eventId: 'trade_1',
      timestamp: '2024-01-01T00:00:00.000Z',
      symbol: expect.any(String) as string,
      quantity: expect.any(Number) as number,
      price: expect.any(Number) as number,
      side: expect.stringMatching(/^(BUY|SELL)$/) as string,
      account: 'A-1',
      dryRun: true,
    });
  });

  test('that fails for some of them ends it with 3, and the report says how to look at them', async () => {
    const here = place();
    here.write('picky.mjs', "export default ({ type }) => { if (type === 'order') throw new Error('no orders'); };");
    const { stdout, exitCode } = await here.runtime([
      'dry-run',
      '--handler',
      'picky.mjs',
      '--count',
      '9',
      '--rate',
      '200',
    ]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('6 done, 3 failed, 0 lost, 0 duplicates\n');
    expect(stdout).toContain('next       what became of them: runtime results dry-run --state failed\n');
    const { stdout: failed } = await here.runtime(['results', 'dry-run', '--state', 'failed']);
    expect(
      parsed(failed)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['order_1', 'order_2', 'order_3']);
  });

  test('that is slow does not slow the arrivals down, and the latencies tell', async () => {
    const here = place();
    here.write('slow.mjs', 'export default () => { const end = Date.now() + 30; while (Date.now() < end); };');
    const report = await reportOf(here, '--handler', 'slow.mjs', '--threads', '1', '--count', '20', '--rate', '1000');
    expect(report).toMatchObject({ events: 20, outcomes: { done: 20 }, exitCode: 0 });
    // All were planned within 20 ms; the last had 19 before it. Measured from when it was sent by a
    // generator that waits, its latency would be that of one task.
    expect(report.latencyMs!.max).toBeGreaterThan(19 * 30);
    expect(report.startLagMs!.max).toBeGreaterThan(18 * 30);
    expect(report.perSecond.actual).toBeLessThan(report.perSecond.planned / 10);
  });

  test('may print and log: that goes to standard error', async () => {
    const here = place();
    here.write(
      'talk.mjs',
      "export default (event, { log }) => { console.log('has', event.eventId); log.warn('hm'); };",
    );
    const { stdout, stderr } = await here.runtime(['dry-run', '--json', '--handler', 'talk.mjs', '--count', '1']);
    expect(JSON.parse(stdout)).toMatchObject({ outcomes: { done: 1 } });
    expect(stderr).toContain('has trade_1\n');
    expect(stderr).toContain('"msg":"hm"');
  });

  test.each([
    ['work.mjs', /which function|exports no/, 'no default'],
    ['keep.mjs#nope', /keep\.mjs exports no function "nope"\nIt exports: keep\.\n$/, 'no such export'],
    ['two.mjs', /which function of .*two\.mjs is to run the tasks\?\n.*Choose one: --handler two\.mjs#a\n$/, 'several'],
    ['broken.mjs', /cannot load .*broken\.mjs: .*on purpose/, 'broken'],
  ])('that cannot be had is refused, and nothing is left behind: %s', async (handler, message) => {
    const here = withHandlers();
    here.write('work.mjs', 'export const notAFunction = 7;');
    here.write('two.mjs', 'export const a = () => {}; export const b = () => {};');
    here.write('broken.mjs', "throw new Error('on purpose');");
    const { stdout, stderr, exitCode } = await here.runtime(['dry-run', '--handler', handler, '--count', '1']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(stderr).toMatch(message);
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });
});

describe('events of one’s own', () => {
  test('that break their schema end it with the reason', async () => {
    const here = place();
    here.write(
      'events.mjs',
      `const schema = { '~standard': { validate: ({ n }) => n < 3 ? {} : { issues: [{ message: 'is too many', path: ['n'] }] } } };
       export const events = { ping: { schema, make: (draw, n) => ({ n }) } };`,
    );
    const { stdout, stderr, exitCode } = await here.runtime(['dry-run', '--events', 'events.mjs', '--rate', '100']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toContain('runtime: event ping_3 does not match its schema: n: is too many\n');
  });
});

describe('bad input', () => {
  test('is told all together, and not even the state folder is made', async () => {
    const here = place();
    const env = { DRY_RUN_RATE: '0', DRY_RUN_SEED: 'abc' };
    const flags = [
      '--pattern',
      'brust',
      '--duration',
      '5',
      '--burst-size',
      '0',
      '--events',
      'no.mjs',
      '--handler',
      'no.mjs',
      '--tempo',
      '3',
    ];
    const { stdout, stderr, exitCode } = await here.runtime(['dry-run', ...flags], { env });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(stderr).toBe(
      [
        'runtime: nothing was started:',
        '  --pattern: must be sequential, random or burst, got "brust"; did you mean "burst"?',
        '  DRY_RUN_RATE: must be events a second, from 0.001 to 1,000,000, got 0',
        '  --duration: "5" has no unit: write 500ms, 2s, 5m, 1h or 1d',
        '  DRY_RUN_SEED: must be a whole number from 0 to 4294967295, got "abc"',
        '  --burst-size: must be one size or a range such as 3-10, from 1 to 10,000, got "0"',
        '  --tempo: is not a flag of runtime dry-run',
        '  --handler: "no.mjs" cannot be loaded: there is no such file',
        '  --events: cannot load "no.mjs": there is no such file',
        'runtime dry-run --help lists every flag with an example.',
        '',
      ].join('\n'),
    );
    expect(existsSync(join(here.dir, '.runtime'))).toBe(false);
  });

  longTestAfter(1, ['NaN', '0', '-1', '1e9', ''])('such as a rate of %j is refused', async (rate) => {
    const { stderr, exitCode } = await place().runtime(['dry-run', `--rate=${rate}`]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--rate: must be events a second, from 0.001 to 1,000,000, got ');
  });
});

describe('a run of another kind', () => {
  test('is not started over: its outcomes stay', async () => {
    const here = place();
    await here.runtime(['run', 'work.mjs', '--lines', '--no-supervise', '--run-id', 'real'], { input: 'a\nb\n' });
    const { stderr, exitCode } = await here.runtime(['dry-run', '--run-id', 'real', '--count', '1']);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--run-id: run real is not a dry run: its tasks and outcomes would be forgotten\n');
    expect(stderr).toContain('Give the dry run a name of its own: --run-id real-dry\n');
    const { stdout } = await here.runtime(['results', 'real']);
    expect(parsed(stdout)).toHaveLength(2);
    expect(await reportOf(here, '--run-id', 'real-dry', '--count', '1')).toMatchObject({
      runId: 'real-dry',
      exitCode: 0,
    });
  });
});

test('a dry run that `runtime run` went on with is none any more: its outcomes stay', async () => {
  const here = place();
  expect(await reportOf(here, '--count', '1')).toMatchObject({ exitCode: 0 });
  await here.runtime(['run', 'work.mjs', '--lines', '--no-supervise', '--run-id', 'dry-run', '--fresh'], {
    input: 'a\nb\n',
  });
  const { stderr, exitCode } = await here.runtime(['dry-run', '--count', '1']);
  expect(exitCode).toBe(64);
  expect(stderr).toContain('--run-id: run dry-run is not a dry run: its tasks and outcomes would be forgotten\n');
  const { stdout } = await here.runtime(['results', 'dry-run']);
  expect(parsed(stdout).map(({ state }) => state)).toEqual(['done', 'done']);
});

test.skipIf(process.platform !== 'linux')('on a terminal, a line tells how far it is, and goes', async () => {
  const command = `${process.execPath} ${MAIN} dry-run --rate 50 --duration 600ms`;
  const { dir } = place();
  const env = { TERM: 'xterm', NO_COLOR: '', SHELL: '/bin/sh' };
  const { stdout, exitCode } = await execa('script', ['-qefc', command, '/dev/null'], { cwd: dir, env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/\] \d+\/30, \d+(\.\d)?\/s/);
  // The report begins where the line was.
  expect(stdout).toMatch(/\u001b\[2K\u001b\[2mdry run {4}\u001b\[0msequential at 50\/s, for 600ms, seed 42\r\n/);
});

describe('while it goes on', () => {
  const endless = ['dry-run', '--rate', '50', '--duration', '10m', '--threads', '1'];
  const going = (here: Place) => here.until('dry-run', ({ counts }) => (counts['done'] ?? 0) > 0);

  test('another one of the same name is refused', async () => {
    const here = place();
    const command = here.start(endless);
    await going(here);
    const { stderr, exitCode } = await here.runtime(['dry-run', '--count', '1']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Another executor is already running: run "dry-run" is held by ');
    command.kill('SIGINT');
    expect((await command).exitCode).toBe(130);
  });

  longTestAfter(1, [['SIGINT', 130, 'Ctrl-C'] as const, ['SIGTERM', 143, 'SIGTERM'] as const])(
    'a %s ends the arrivals, and the report is given all the same',
    async (signal, exitCode, again) => {
      const here = place();
      const command = here.start([...endless, '--json']);
      await going(here);
      command.kill(signal);
      const ended = await command;
      expect(ended.exitCode).toBe(exitCode);
      expect(ended.stderr).toMatch(
        new RegExp(
          `^${signal}: no more events(; waiting for \\d+ of \\d+ that were sent\n  ${again} again interrupts them)?\n$`,
        ),
      );
      const report = JSON.parse(ended.stdout) as DryRunReport;
      expect(report).toMatchObject({ stoppedBy: signal, lost: 0, unfinished: 0, outcomes: { done: report.events } });
      expect(report.events).toBeGreaterThan(0);
      expect(report.events).toBeLessThan(50 * 600);
    },
  );

  test('a signal while it starts ends it before the first event, and leaves nothing behind', async () => {
    const here = place();
    here.write(
      'slow.mjs',
      `import { writeFileSync } from 'node:fs';
       writeFileSync('loading', '');
       for (;;) await new Promise((resolve) => setTimeout(resolve, 5));
       export default () => {};`,
    );
    const command = here.start([...endless, '--json', '--handler', 'slow.mjs']);
    await waitFor('the handler to load', () => existsSync(join(here.dir, 'loading')));
    // Whether the handler ever loads, nobody waits for.
    command.kill('SIGINT');
    expect(await command).toMatchObject({ exitCode: 130, stdout: '' });
    expect(existsSync(join(here.dir, '.runtime/runs/dry-run'))).toBe(false);
    expect(existsSync(join(here.dir, '.runtime/locks/dry-run.lock'))).toBe(false);
  });

  test('a signal waits for what was sent; a second one does not', async () => {
    const here = place();
    const gated = ['--handler', 'work.mjs#gate'];
    const command = here.start([...endless, '--json', ...gated]);
    await here.until('dry-run', (status) => started(status) > 0);
    let told = '';
    command.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    command.kill('SIGINT');
    await waitFor('the first word', () => /no more events; waiting for \d+ of \d+/.test(told));
    here.write('open', '');
    const ended = await command;
    expect(ended.exitCode).toBe(130);
    const report = JSON.parse(ended.stdout) as DryRunReport;
    expect(report.outcomes.done).toBe(report.events);

    const other = place();
    const stuck = other.start([...endless, '--json', ...gated]);
    await other.until('dry-run', (status) => started(status) > 0);
    told = '';
    stuck.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    stuck.kill('SIGINT');
    await waitFor('the first word', () => /no more events; waiting for \d+ of \d+/.test(told));
    stuck.kill('SIGINT');
    const forced = await stuck;
    expect(forced.exitCode).toBe(130);
    expect(forced.stdout).toBe('');
    expect(forced.stderr).toContain('SIGINT again: interrupted tasks have 2s to stop; there is no report\n');
  });

  test('it can be looked at, paused and let go on: arrivals do not wait for that', async () => {
    const here = place();
    const command = here.start([...endless, '--json']);
    await going(here);
    expect((await here.runtime(['status', 'dry-run', '--probe', 'ready'])).exitCode).toBe(0);
    expect((await here.runtime(['pause', 'dry-run'])).exitCode).toBe(0);
    await here.until('dry-run', ({ state, counts }) => state === 'paused' && (counts['queued'] ?? 0) > 10);
    expect((await here.runtime(['resume', 'dry-run'])).exitCode).toBe(0);
    await here.until('dry-run', ({ state, counts }) => state === 'running' && counts['queued'] === 0);
    command.kill('SIGINT');
    const report = JSON.parse((await command).stdout) as DryRunReport;
    expect(report).toMatchObject({ lost: 0, outcomes: { done: report.events } });
  });

  longTestAfter(1, [
    ['SIGTERM' as const, 143],
    ['drain' as const, 3],
  ])(
    'it can be drained: what waits is left, and counts as unfinished, not as lost (then a %s)',
    async (last, exitCode) => {
      const here = place();
      const command = here.start([...endless, '--json', '--handler', 'work.mjs#gate']);
      let told = '';
      command.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
      await here.until('dry-run', (status) => started(status) === 1 && (status.counts['queued'] ?? 0) > 5);
      const drained = here.runtime(['drain', 'dry-run']);
      await here.until('dry-run', ({ state }) => state === 'draining');
      // It ends, and cannot be made to go on.
      expect((await here.runtime(['resume', 'dry-run'])).exitCode).toBe(1);
      if (last !== 'drain') {
        // The first signal waits for what runs, also after a drain.
        command.kill(last);
        await waitFor('what the signal is told', () => told.includes(`${last}: no more events; waiting for `));
      }
      here.write('open', '');
      expect((await drained).exitCode).toBe(0);
      const ended = await command;
      const report = JSON.parse(ended.stdout) as DryRunReport;
      expect(report).toMatchObject({ stoppedBy: last, lost: 0, duplicates: 0 });
      expect(report.unfinished).toBeGreaterThan(0);
      expect(report.outcomes.done + report.unfinished).toBe(report.events);
      expect(ended.exitCode).toBe(exitCode);
    },
  );
});
