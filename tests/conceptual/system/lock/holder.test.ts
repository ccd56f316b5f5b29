import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ExecutorRunningError } from '../../../../dist/system/lock/executor-running-error.js';
import { parseHolder, readHolder, thisProcess, writeHolder } from '../../../../dist/system/lock/holder.js';
import type { LockHolder } from '../../../../dist/system/lock/holder.js';
import { networkFileSystem, networkFileSystemName } from '../../../../dist/system/network-fs.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

const anyHolder: fc.Arbitrary<LockHolder> = fc.record(
  {
    schema: fc.constant(1),
    runId: fc.string(),
    executorId: fc.string(),
    pid: fc.nat(),
    hostname: fc.string(),
    cwd: fc.string({ maxLength: 4000, unit: 'binary' }),
    startedAt: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    controlSocket: fc.string(),
  },
  { requiredKeys: ['schema', 'runId', 'executorId', 'pid', 'hostname', 'cwd', 'startedAt'] },
);

test('whatever was written is read back, whatever longer or shorter text was there before', () => {
  const file = join(tempDir(), 'holder');
  fc.assert(
    fc.property(anyHolder, fc.string({ maxLength: 5000 }), (holder, before) => {
      writeFileSync(file, before);
      const fd = openSync(file, 'r+');
      writeHolder(fd, holder);
      expect(readHolder(fd)).toEqual(holder);
      closeSync(fd);
      expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(holder)}\n`);
    }),
    { numRuns: runs(100) },
  );
});

test('a half-written line is never read as a holder, a whole one before old text is', () => {
  fc.assert(
    fc.property(anyHolder, anyHolder, fc.nat(), (holder, old, at) => {
      const line = `${JSON.stringify(holder)}\n`;
      expect(parseHolder(line.slice(0, at % line.length))).toBeUndefined();
      const oldLine = `${JSON.stringify(old)}\n`;
      expect(parseHolder(line + oldLine.slice(line.length))).toEqual(holder);
    }),
  );
});

test('a reader that comes before the holder has written waits a moment, and then sees it', () => {
  const file = join(tempDir(), 'holder');
  writeFileSync(file, '');
  const fd = openSync(file, 'r+');
  const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    writeHolder(fd, thisProcess('run-1'));
    return 'timed-out';
  });
  onTestFinished(() => wait.mockRestore());
  expect(readHolder(fd)).toMatchObject({ runId: 'run-1' });
  expect(wait).toHaveBeenCalledOnce();
  closeSync(fd);
});

test('no content makes the reader throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseHolder(`${text}\n`)));
});

test.each([
  'null',
  '7',
  '"text"',
  '[]',
  '{}',
  '{"pid":1}',
  '{"hostname":"h"}',
  '{"pid":"1","hostname":"h"}',
  '{"pid":1,',
  '',
])('nobody is named by %s', (line) => {
  expect(parseHolder(`${line}\n`)).toBeUndefined();
});

test('what another version left out is filled, what it added is ignored', () => {
  expect(parseHolder('{"pid":7,"hostname":"host","schema":2,"colour":"red","cwd":3,"controlSocket":4}\n')).toEqual({
    schema: 2,
    runId: 'unknown',
    executorId: '7@host',
    pid: 7,
    hostname: 'host',
    cwd: 'unknown',
    startedAt: 'unknown',
  });
  expect(parseHolder('{"pid":7,"hostname":"host"}\n')?.schema).toBe(1);
});

test('this process describes itself', () => {
  const holder = thisProcess('run-7');
  expect(holder).toMatchObject({ schema: 1, runId: 'run-7', pid: process.pid, cwd: process.cwd() });
  expect(holder.hostname).toBe(hostname());
  expect(holder.executorId).toBe(`${process.pid}@${hostname()}`);
  expect(new Date(holder.startedAt).toISOString()).toBe(holder.startedAt);
});

test('the refusal says who holds the lock, and whether it is this very process', () => {
  const other = {
    ...thisProcess('nightly'),
    pid: 4711,
    executorId: '4711@host',
    cwd: '/srv',
    startedAt: 'then',
  };
  const refusal = new ExecutorRunningError({ runId: 'nightly', path: '/l', holder: other });
  expect(refusal.message).toBe(
    'Another executor is already running: run "nightly" is held by 4711@host in /srv since then (lock: /l)',
  );
  expect(refusal).toMatchObject({
    code: 'ERR_EXECUTOR_RUNNING',
    holder: other,
    path: '/l',
    runId: 'nightly',
  });
  expect(refusal.hint).toContain('runtime status nightly');
  const mine = new ExecutorRunningError({ runId: 'nightly', path: '/l', holder: thisProcess('nightly') });
  expect(mine.message).toContain('this very process');
  const samePid = { ...thisProcess('nightly'), hostname: 'another-host' };
  const elsewhere = new ExecutorRunningError({ runId: 'nightly', path: '/l', holder: samePid });
  expect(elsewhere.message).not.toContain('very process');
});

test.each([
  [0x6969n, 'NFS'],
  [0xff534d42n, 'CIFS'],
  [0xffffffffff534d42n, 'CIFS'],
  [0xfe534d42n, 'SMB'],
  [0x65735546n, 'FUSE'],
  [0x01021997n, '9p'],
  [0x00c36400n, 'Ceph'],
  [0x0bd00bd0n, 'Lustre'],
  [0xef53n, undefined],
  [0x01021994n, undefined],
  [0x794c7630n, undefined],
])('file system type %i is %s', (type, name) => {
  expect(networkFileSystemName(type)).toBe(name);
});

test.runIf(process.platform === 'linux')("the kernel's own file systems are no network file systems", () => {
  expect(networkFileSystem('/proc')).toBeUndefined();
  expect(() => networkFileSystem('/no/such/folder')).toThrow('ENOENT');
});
