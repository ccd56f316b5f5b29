import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveHealth, type HealthServer } from '../../../../dist/runtime/health/http-server.js';
import { deferred } from '../../../support/deferred.js';
import { executorOf, place, started, type Place } from '../../../support/command.js';
import { endOf, rejection, running, startedExecutor } from '../../../support/executors.js';
import { longTestAfter } from '../../../support/long.js';
import { waitFor } from '../../../support/wait-for.js';

async function serving(address = { host: '127.0.0.1', port: 0 }): Promise<HealthServer> {
  const server = await serveHealth(address);
  onTestFinished(() => server.close());
  return server;
}

async function get(url: string, path: string, method = 'GET') {
  const response = await fetch(`${url}${path}`, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** The samples of a metric: `{state="done"}` to its value. */
function samples(text: string, name: string): Record<string, number> {
  const found = [...text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return Object.fromEntries(found.map(([, labels = '', value]) => [labels, Number(value)]));
}

describe('the health server', () => {
  test('answers for an executor that starts: it lives, and is neither ready nor started', async () => {
    const { url } = await serving();
    expect(await get(url, '/livez')).toMatchObject({ status: 200, text: 'ok: it is starting\n' });
    for (const path of ['/readyz', '/startupz']) {
      expect(await get(url, path)).toMatchObject({ status: 503, text: 'not ok: it is starting\n' });
    }
    expect(await get(url, '/metrics')).toMatchObject({ status: 503, text: 'it is starting\n' });
  });

  test('answers with the probes of its executor, and why', async () => {
    const { url, serve } = await serving();
    const executor = await startedExecutor();
    serve(executor);
    await waitFor('its first beat', () => executor.probe().startup.ok);
    expect(await get(url, '/livez')).toMatchObject({ status: 200, text: 'ok: running\n' });
    expect((await get(url, '/readyz?verbose')).text).toMatch(/^ok: [12] threads?\n$/);
    expect(await get(url, '/startupz')).toMatchObject({ status: 200, text: 'ok: it has started\n' });
    executor.pause();
    expect(await get(url, '/readyz')).toMatchObject({ status: 503, text: 'not ok: it is paused\n' });
    await executor.stop();
    expect(await get(url, '/readyz')).toMatchObject({ status: 503, text: 'not ok: it is stopped\n' });
  });

  test('knows GET and HEAD of its four paths, and nothing else', async () => {
    const { url } = await serving();
    const head = await get(url, '/livez', 'HEAD');
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '19']);
    const posted = await get(url, '/livez', 'POST');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    for (const path of ['/', '/status', '/livez/', '/metrics.txt']) {
      expect(await get(url, path)).toMatchObject({
        status: 404,
        text: 'there are /livez, /readyz, /startupz, /metrics\n',
      });
    }
  });

  test('cannot listen where another one does, where nobody may, or where there is no such place', async () => {
    const { address } = await serving();
    const told = async (host: string, port: number) => rejection(serveHealth({ host, port }));
    expect(await told('127.0.0.1', address.port)).toMatchObject({
      code: 'ERR_HTTP_ADDRESS',
      message: `cannot serve health and metrics on http://127.0.0.1:${address.port}: the port is in use`,
      hint: 'Choose another one, or 0 for any that is free.',
    });
    expect((await told('203.0.113.7', 0)).message).toMatch(
      /http:\/\/203\.0\.113\.7:0: this machine has no such address$/,
    );
    expect((await told('no-such-host.invalid', 0)).code).toBe('ERR_HTTP_ADDRESS');
  });

  test('listens on other addresses where it is told to', async () => {
    const { url } = await serving({ host: '::1', port: 0 });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await get(url, '/livez')).status).toBe(200);
  });

  test('lets nobody take up more connections than asking for health can need', async () => {
    const { url } = await serving();
    const open: Socket[] = [];
    onTestFinished(() => open.forEach((socket) => socket.destroy()));
    let refused = 0;
    for (let n = 0; n < 100; n++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      open.push(socket);
      socket.on('error', () => {}).on('close', () => refused++);
    }
    await waitFor('those too many to be refused', () => refused >= 36);
    expect(refused).toBe(36);
    // Whatever keeps the others open: there is room for who asks.
    for (let n = 0; n < 3; n++) expect(await get(url, '/livez')).toMatchObject({ status: 200 });
    expect(open.filter((socket) => !socket.destroyed).length).toBeGreaterThan(0);
  });

  test('ends no connection whose request is under way, however many idle ones come', async () => {
    const { url, serve } = await serving();
    const asked = deferred();
    const told = deferred<never>();
    const status = () => {
      asked.resolve();
      return told.promise;
    };
    serve({ probe: () => ({}) as never, status });
    const scraped = get(url, '/metrics');
    await asked.promise;
    const open: Socket[] = [];
    onTestFinished(() => open.forEach((socket) => socket.destroy()));
    let refused = 0;
    for (let n = 0; n < 100; n++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      open.push(socket.on('error', () => {}).on('close', () => refused++));
    }
    await waitFor('those too many to be ended', () => refused >= 37);
    told.reject(new Error('late'));
    expect(await scraped).toMatchObject({ status: 503, text: 'not known: late\n' });
  });

  test.each([
    [
      '127.0.0.1',
      ['localhost', 'LOCALHOST:80', '127.0.0.1', '127.0.0.1:9090', '[::1]:9090'],
      ['example.com', 'localhost.example.com:9090', '0.0.0.0', '127.0.0.1.example.com'],
    ],
    ['::1', ['localhost', '[::1]', '[::1]:1'], ['example.com:9090', '[::2]']],
    ['localhost', ['localhost:9090', '127.0.0.1'], ['example.com']],
  ])('on %s answers those alone who ask for this machine', async (host, good, bad) => {
    const { address } = await serving({ host, port: 0 });
    const ask = async (name: string) =>
      new Promise<number>((resolve, reject) => {
        const { port } = address;
        const asking = request({ host, port, path: '/livez', headers: { host: name }, agent: false });
        asking.on('response', (response) => resolve(response.resume().statusCode!)).on('error', reject);
        asking.end();
      });
    for (const name of good) expect([name, await ask(name)]).toEqual([name, 200]);
    for (const name of bad) expect([name, await ask(name)]).toEqual([name, 403]);
  });

  test('on every address answers whatever name it is asked by', async () => {
    const { url } = await serving({ host: '0.0.0.0', port: 0 });
    const response = await fetch(url.replace('0.0.0.0', '127.0.0.1') + '/livez', { headers: { host: 'example.com' } });
    expect(response.status).toBe(200);
  });

  test('whose executor cannot tell says so', async () => {
    const { url, serve } = await serving();
    const executor = await startedExecutor();
    serve({ probe: () => executor.probe(), status: () => Promise.reject(new Error('no queue')) });
    expect(await get(url, '/metrics')).toMatchObject({ status: 503, text: 'not known: no queue\n' });
  });
});

describe('metrics', () => {
  test('tell of tasks, outcomes, durations, threads, beats, epoch and mode, and of the process', async () => {
    const { url, serve } = await serving();
    const executor = await startedExecutor({ threads: 2 });
    serve(executor);
    await executor.submit('echo', 1);
    await executor.submit('wait', 20);
    await endOf(executor.submit('fail', 'no'));
    const waiting = endOf(executor.submit('untilAborted', 0, { id: 'a' }));
    await running(executor, 'a');
    await waitFor(
      'a beat of both threads',
      async () => (await executor.status()).health.lastBeat?.threads.length === 2,
    );

    const { status, text, headers } = await get(url, '/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(samples(text, 'holdfast_tasks')).toMatchObject({
      '{state="running"}': 1,
      '{state="done"}': 2,
      '{state="failed"}': 1,
      '{state="queued"}': 0,
    });
    expect(samples(text, 'holdfast_outcomes_total')).toEqual({
      '{state="done"}': 2,
      '{state="failed"}': 1,
      '{state="crashed"}': 0,
      '{state="timed-out"}': 0,
      '{state="cancelled"}': 0,
    });
    expect(text).toMatch(/^# TYPE holdfast_task_duration_seconds summary$/m);
    expect(samples(text, 'holdfast_task_duration_seconds_count')).toEqual({ '': 3 });
    const sum = samples(text, 'holdfast_task_duration_seconds_sum')['']!;
    const quantiles = samples(text, 'holdfast_task_duration_seconds');
    expect(Object.keys(quantiles)).toEqual(['0.5', '0.95', '0.99', '1'].map((each) => `{quantile="${each}"}`));
    // In seconds: the longest is the one that waited.
    expect(quantiles['{quantile="1"}']! / sum).toBeGreaterThan(0.5);
    expect(quantiles['{quantile="1"}']! / sum).toBeLessThanOrEqual(1.01);
    const longest = (await executor.status()).statistics.taskMs!.max;
    expect(quantiles['{quantile="1"}']).toBeCloseTo(longest / 1000, 6);
    expect(samples(text, 'holdfast_threads')).toEqual({
      '{state="loading"}': 0,
      '{state="idle"}': 1,
      '{state="busy"}': 1,
      '{state="retiring"}': 0,
    });
    expect(Object.keys(samples(text, 'holdfast_thread_heap_bytes'))).toEqual(['{thread="1"}', '{thread="2"}']);
    expect(samples(text, 'holdfast_beats_total')['']).toBeGreaterThan(0);
    expect(samples(text, 'holdfast_missed_beats_total')).toEqual({ '': 0 });
    expect(samples(text, 'holdfast_queue_epoch')).toEqual({ '': 1 });
    expect(samples(text, 'holdfast_mode')).toMatchObject({ '{mode="running"}': 1, '{mode="paused"}': 0 });
    expect(samples(text, 'process_resident_memory_bytes')['']).toBeGreaterThan(1e6);
    await executor.stop({ force: true });
    await waiting;
  });

  test('go on from scrape to scrape, and forget threads that are gone', async () => {
    const { url, serve } = await serving();
    const executor = await startedExecutor({ threads: 2 });
    serve(executor);
    await get(url, '/metrics');
    await executor.submit('echo', 1);
    await executor.scale(1);
    await waitFor('the second thread to be gone', async () => (await executor.status()).threads.length === 1);
    executor.pause();
    const { text } = await get(url, '/metrics');
    expect(samples(text, 'holdfast_outcomes_total')['{state="done"}']).toBe(1);
    expect(samples(text, 'holdfast_mode')).toMatchObject({ '{mode="running"}': 0, '{mode="paused"}': 1 });
    expect(Object.keys(samples(text, 'holdfast_thread_heap_bytes'))).toEqual(['{thread="1"}']);
  });

  test('of two executors in one process are of two registries', async () => {
    const [one, two] = [await serving(), await serving()];
    const [first, second] = [await startedExecutor(), await startedExecutor()];
    one.serve(first);
    two.serve(second);
    await first.submit('echo', 1);
    const done = async ({ url }: HealthServer) =>
      samples((await get(url, '/metrics')).text, 'holdfast_tasks')['{state="done"}'];
    expect(await Promise.all([done(one), done(two)])).toEqual([1, 0]);
  });
});

/** Starts a run with `--http`, with a task that waits for the file `open`; gives where it serves. */
async function serves(here: Place, http: string, ...flags: string[]) {
  const run = here.start(['run', 'work.mjs', '--lines', '--handler', 'gate', '--http', http, ...flags], {
    input: '1\n',
  });
  let stderr = '';
  run.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const url = await waitFor('its address', () => /^health and metrics on (\S+)$/m.exec(stderr)?.[1]);
  await here.until('work', (status) => started(status) === 1);
  return { pid: run.pid!, url, stderr: () => stderr, ended: () => run };
}

describe('runtime run --http', () => {
  longTestAfter<[string[]]>(1, [[[]], [['--no-supervise']]])(
    'serves on loopback, tells the port that it got, and ends with the run %j',
    async (flags: string[]) => {
      const here = place();
      const { url, ended } = await serves(here, '0', ...flags);
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      await waitFor('it to be started', async () => (await get(url, '/startupz')).status === 200);
      expect(samples((await get(url, '/metrics')).text, 'holdfast_tasks')['{state="running"}']).toBe(1);
      here.write('open', '');
      expect((await ended()).exitCode).toBe(0);
      await expect(get(url, '/livez')).rejects.toThrow('fetch failed');
    },
  );

  test('goes on at the same port with the next executor, when one dies', async () => {
    const here = place();
    const { pid, url, stderr, ended } = await serves(here, '0');
    const died = executorOf(pid);
    process.kill(died, 'SIGKILL');
    await waitFor(
      'the next one to be ready',
      async () => (await get(url, '/readyz').catch(() => undefined))?.status === 200,
    );
    expect(samples((await get(url, '/metrics')).text, 'holdfast_queue_epoch')).toEqual({ '': 2 });
    here.write('open', '');
    expect((await ended()).exitCode).toBe(0);
    expect(stderr().match(/health and metrics on/g)).toHaveLength(1);
  });

  test('goes on without, when somebody else has the port by then', async () => {
    const here = place();
    const { pid, url, stderr, ended } = await serves(here, '0');
    const other = createServer();
    onTestFinished(() => void other.close());
    // The supervisor, stopped, starts no other before the port is taken.
    process.kill(pid, 'SIGSTOP');
    process.kill(executorOf(pid), 'SIGKILL');
    const port = Number(new URL(url).port);
    await waitFor('the port', () => listens(other, port));
    process.kill(pid, 'SIGCONT');
    await waitFor('the warning', () => stderr().includes(`${url}: the port is in use; going on without\n`));
    here.write('open', '');
    expect((await ended()).exitCode).toBe(0);
  });

  longTestAfter<[string[]]>(1, [[[]], [['--no-supervise']]])(
    'at a port that is taken ends with 1 before any task is taken %j',
    async (flags: string[]) => {
      const here = place();
      const other = createServer();
      onTestFinished(() => void other.close());
      await listens(other, 0);
      const { port } = other.address() as AddressInfo;
      const command = ['run', 'work.mjs', '--lines', '--handler', 'count', '--http', String(port), ...flags];
      const { exitCode, stdout, stderr } = await here.runtime(command, { input: '1\n' });
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toBe(
        `runtime: cannot serve health and metrics on http://127.0.0.1:${port}: the port is in use\n` +
          'Choose another one, or 0 for any that is free.\n',
      );
      expect(existsSync(join(here.dir, 'counted'))).toBe(false);
    },
  );

  test('says nothing of it with --quiet, and refuses what is no address', async () => {
    const here = place();
    const quiet = ['run', 'work.mjs', '--lines', '--quiet', '--http', '0'];
    expect(await here.runtime(quiet, { input: '1\n' })).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stderr } = await here.runtime(['run', 'work.mjs', '--lines', '--http', 'x'], { input: '1\n' });
    expect(exitCode).toBe(64);
    expect(stderr).toContain(
      '  --http: must be a port, or host:port, such as 9090, 0.0.0.0:9090 or [::1]:9090; got "x"\n',
    );
  });
});

function listens(server: ReturnType<typeof createServer>, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
