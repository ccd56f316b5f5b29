import { chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, createServer as createSocketServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { askExecutor } from '../../../../dist/runtime/control/client.js';
import type { Steering } from '../../../../dist/runtime/control/messages.js';
import { serveControl, type ControlServer } from '../../../../dist/runtime/control/server.js';
import { monotonicMs } from '../../../../dist/base/monotonic.js';
import { controlSocketPath } from '../../../../dist/runtime/control/socket-path.js';
import { rejection } from '../../../support/executors.js';
import { tempDir } from '../../../support/temp-dir.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A control socket, and what was asked of who is behind it. */
async function served(status: () => Promise<unknown> = async () => ({ runId: 'run-1' })) {
  const asked: string[] = [];
  const note = (what: string) => () => void asked.push(what);
  const steering = {
    status,
    pause: note('pause'),
    resume: note('resume'),
    drain: note('drain'),
  } as unknown as Steering;
  const dir = tempDir();
  const server: ControlServer = await serveControl(dir, steering);
  onTestFinished(() => server.close().catch(() => {}));
  return { asked, dir, server, path: server.path };
}

/** A server of whatever kind on a socket of its own. */
async function serving(server: Server): Promise<string> {
  const path = join(tempDir(), 'other.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

describe('a control socket', () => {
  test('that cannot be made is told in words', async () => {
    const nowhere = join(tempDir(), 'nowhere');
    await expect(serveControl(nowhere, {} as Steering)).rejects.toMatchObject({
      code: 'ERR_STATE_DIR',
      message: expect.stringMatching(/^the socket by which a run is steered cannot be made: listen /) as string,
      hint: expect.stringContaining('--dir') as string,
    });
  });

  test('carries out what it is asked to, and answers with the status after it', async () => {
    const { asked, path } = await served(async () => ({ runId: 'run-1', asked: asked.length }));
    expect(await askExecutor(path, 'status')).toEqual({ runId: 'run-1', asked: 0 });
    expect(await askExecutor(path, 'pause')).toEqual({ runId: 'run-1', asked: 1 });
    await askExecutor(path, 'resume');
    await askExecutor(path, 'drain');
    expect(asked).toEqual(['pause', 'resume', 'drain']);
  });

  test('is for this user alone, takes the place of one that was left over, and goes with its server', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'control.sock'), 'left over');
    const server = await serveControl(dir, {} as Steering);
    expect(server.path).toBe(join(dir, 'control.sock'));
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    await server.close();
    expect(existsSync(server.path)).toBe(false);
  });

  test('of an executor that has the run now stays when an earlier one closes', async () => {
    const dir = tempDir();
    const before = await serveControl(dir, {} as Steering);
    const now = await serveControl(dir, { status: async () => ({ runId: 'now' }) } as unknown as Steering);
    onTestFinished(() => now.close());
    await before.close();
    expect(await askExecutor(now.path, 'status')).toMatchObject({ runId: 'now' });
  });

  test.each([
    ['GET', '/pause'],
    ['POST', '/status'],
    ['POST', '/stop'],
    ['GET', '/'],
  ])('knows no %s %s', async (method, path) => {
    const { asked, path: socketPath } = await served();
    const status = await new Promise((resolve, reject) => {
      const outgoing = request({ socketPath, method, path }, (response) => resolve(response.resume().statusCode));
      outgoing.on('error', reject).end();
    });
    expect(status).toBe(404);
    expect(asked).toEqual([]);
  });

  test('does not carry out what was asked too long ago', async () => {
    const { asked, path: socketPath } = await served();
    const ask = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        const outgoing = request({ socketPath, method: 'POST', path: '/drain', headers }, (response) =>
          resolve(response.resume().statusCode),
        );
        outgoing.on('error', reject).end();
      });
    expect(await ask({ 'holdfast-deadline': String(monotonicMs() - 1) })).toBe(408);
    expect(asked).toEqual([]);
    expect(await ask({})).toBe(200);
    expect(asked).toEqual(['drain']);
  });

  test('closes although somebody is connected and says nothing', async () => {
    const { server, path } = await served();
    const silent = connect(path);
    await new Promise((resolve) => silent.once('connect', resolve));
    await server.close();
    await new Promise((resolve) => silent.once('close', resolve));
  });
});

describe('who asks and gets no answer, hears that nobody is there, and why', () => {
  test.each<[what: string, path: () => Promise<string>, why: RegExp]>([
    ['no socket', async () => join(tempDir(), 'control.sock'), /ENOENT/],
    [
      'a status that fails',
      async () => (await served(() => Promise.reject(new Error('the queue was closed')))).path,
      /the queue was closed/,
    ],
    ['an answer that is not ours', () => serving(createServer((_, response) => response.end('<html>'))), /JSON/],
    [
      'a server that hangs up',
      () => serving(createSocketServer((socket) => socket.destroy())),
      /socket hang up|ECONNRESET|EPIPE/,
    ],
    [
      'an answer that breaks off',
      () =>
        serving(
          createServer((_, response) => {
            response.writeHead(200, { 'content-length': '100' });
            response.write('{', () => response.destroy());
          }),
        ),
      /aborted|ECONNRESET/,
    ],
    [
      'a server that says nothing',
      () => serving(createSocketServer((socket) => void socket.resume())),
      /no answer within 2 s/,
    ],
  ])('%s', async (_, path, why) => {
    const error = await rejection(askExecutor(await path(), 'status'));
    expect(error).toMatchObject({ code: 'ERR_NO_EXECUTOR', message: expect.stringMatching(why) });
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('where the path of a run is too long for a socket', () => {
  const long = (dir: string) => join(dir, 'x'.repeat(120));

  /** As if that were the system's folder for temporary files. */
  function tmp(): { dir: string; folder: string } {
    const dir = tempDir();
    vi.stubEnv('TMPDIR', dir);
    return { dir, folder: join(dir, `holdfast-${process.getuid!()}`) };
  }

  test('it lies in a private folder of this user, each run with one of its own, and works', async () => {
    const { dir, folder } = tmp();
    const path = controlSocketPath(long(dir));
    expect(dirname(path)).toBe(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect(controlSocketPath(long(dir))).toBe(path);
    expect(controlSocketPath(`${long(dir)}y`)).not.toBe(path);
    mkdirSync(long(dir));
    const server = await serveControl(long(dir), { status: async () => ({ runId: 'long' }) } as never);
    expect(await askExecutor(server.path, 'status')).toEqual({ runId: 'long' });
    await server.close();
  });

  test.each<[what: string, make: (folder: string) => void]>([
    ['a folder that others may enter', (folder) => (mkdirSync(folder), chmodSync(folder, 0o755))],
    ['a file', (folder) => writeFileSync(folder, '')],
    [
      'a link to a folder',
      (folder) => (mkdirSync(`${folder}-other`, { mode: 0o700 }), symlinkSync(`${folder}-other`, folder)),
    ],
    ['a link to nowhere', (folder) => symlinkSync(`${folder}-gone`, folder)],
    ['nothing, where nothing can be made', (folder) => rmSync(dirname(folder), { recursive: true })],
  ])('it is refused when that is %s', (_, make) => {
    const { dir, folder } = tmp();
    make(folder);
    expect(() => controlSocketPath(long(dir))).toThrow(
      expect.objectContaining({
        code: 'ERR_STATE_DIR',
        message: expect.stringContaining(folder),
        hint: expect.any(String),
      }),
    );
  });
});
