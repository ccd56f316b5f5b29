import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { InvalidInputError } from '../../../dist/base/errors.js';
import { StateDir, validateRunId } from '../../../dist/system/state-dir.js';
import { tempDir } from '../../support/temp-dir.js';

test.each(['a', '0', 'nightly-2024.01_x', 'A'.repeat(128), 'a..b', '7.'])('%s is a run id', (id) => {
  expect(validateRunId(id)).toBe(id);
});

test.each(['', '.', '..', '../x', 'a/b', 'a\\b', '-x', '_x', '.x', 'a b', 'a\n', 'a\0', 'ä', 'A'.repeat(129)])(
  '%j is no run id, and no path is made of it',
  (id) => {
    const state = new StateDir(tempDir());
    for (const use of [
      () => validateRunId(id),
      () => state.lockPath(id),
      () => state.runDir(id),
      () => state.ensureRunDir(id),
    ]) {
      expect(use).toThrow(InvalidInputError);
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_INVALID_RUN_ID' }));
    }
    expect(fs.readdirSync(state.root)).toEqual([]);
  },
);

test('no run id leads out of the state folder', () => {
  const state = new StateDir('/state');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '-') }), fc.string()), (id) => {
      try {
        expect(resolve(state.lockPath(id))).toBe(`/state/locks/${id}.lock`);
        expect(resolve(state.runDir(id))).toBe(`/state/runs/${id}`);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    }),
  );
});

test('the folder given goes before RUNTIME_DIR, and that before .runtime', () => {
  vi.stubEnv('RUNTIME_DIR', '/from/env');
  try {
    expect(new StateDir('given').root).toBe(resolve('given'));
    expect(new StateDir().root).toBe('/from/env');
    vi.stubEnv('RUNTIME_DIR', '');
    expect(new StateDir().root).toBe(resolve('.runtime'));
    vi.stubEnv('RUNTIME_DIR', undefined);
    expect(new StateDir().root).toBe(resolve('.runtime'));
  } finally {
    vi.unstubAllEnvs();
  }
});

test('folders are made for this user alone', () => {
  const state = new StateDir(join(tempDir(), 'deep', 'state'));
  const run = state.ensureRunDir('run-1');
  expect(run).toBe(join(state.root, 'runs', 'run-1'));
  for (const dir of [state.root, join(state.root, 'runs'), run]) {
    expect(fs.statSync(dir).mode & 0o777).toBe(0o700);
  }
  expect(state.ensureRunDir('run-1')).toBe(run);
});

test('asking makes nothing', () => {
  const state = new StateDir(join(tempDir(), 'state'));
  expect(state.runIds()).toEqual([]);
  state.lockPath('run-1');
  expect(fs.existsSync(state.root)).toBe(false);
});

test.each([0o720, 0o702, 0o777, 0o1777])(
  'a state folder that others may write to (%i) is refused, with the way to close it',
  (mode) => {
    const root = tempDir();
    fs.chmodSync(root, mode);
    const refusal = { code: 'ERR_STATE_DIR', hint: expect.stringContaining(`chmod go-w ${root}`) };
    expect(() => new StateDir(root).ensure()).toThrow(expect.objectContaining(refusal));
    expect(() => new StateDir(root).ensureRunDir('run-1')).toThrow(expect.objectContaining(refusal));
    expect(fs.readdirSync(root)).toEqual([]);
  },
);

test('a state folder that others may only read is taken', () => {
  const root = tempDir();
  fs.chmodSync(root, 0o755);
  new StateDir(root).ensure();
});

test('a state folder of another user is refused', () => {
  const root = process.getuid!() === 0 ? tempDir() : '/usr';
  if (process.getuid!() === 0) fs.chownSync(root, 65534, 65534);
  expect(() => new StateDir(root).ensure()).toThrow(
    expect.objectContaining({ code: 'ERR_STATE_DIR', message: expect.stringContaining('another user') }),
  );
});

const IS_ROOT = process.getuid!() === 0;

/** Only root can make a link that belongs to another user. */
test.runIf(IS_ROOT).each<[string, (root: string, target: string) => string]>([
  ['the state folder', (root) => join(root, 'state')],
  ['a folder above it', (root) => join(root, 'above')],
  ['where a link of ours leads through', (root) => join(root, 'ours')],
  ['the folder of runs', (root) => join(root, 'own', 'runs')],
  ['the folder of locks', (root) => join(root, 'own', 'locks')],
  ['the folder of the run', (root) => join(root, 'own', 'runs', 'run-1')],
])('a link of another user in the place of %s is refused, and nothing is made behind it', (what, placeIn) => {
  const root = tempDir();
  const target = tempDir();
  const link = placeIn(root, target);
  fs.mkdirSync(join(root, 'own', 'runs'), { recursive: true });
  if (what === 'where a link of ours leads through') {
    fs.symlinkSync(join(root, 'theirs'), link);
    foreignLink(target, join(root, 'theirs'));
  } else {
    fs.rmSync(link, { recursive: true, force: true });
    foreignLink(target, link);
  }
  const dir = link.startsWith(join(root, 'own'))
    ? join(root, 'own')
    : what === 'a folder above it'
      ? join(link, 'x')
      : link;
  expect(() => new StateDir(dir).ensureRunDir('run-1')).toThrow(
    expect.objectContaining({
      code: 'ERR_STATE_DIR',
      message: expect.stringMatching(/is a symbolic link of another user/) as string,
    }),
  );
  expect(fs.readdirSync(target)).toEqual([]);
});

function foreignLink(target: string, path: string): void {
  fs.symlinkSync(target, path);
  fs.lchownSync(path, 65_534, 65_534);
}

test('a link of our own is followed, to a folder that is ours alone', () => {
  const root = tempDir();
  const target = tempDir();
  fs.symlinkSync(target, join(root, 'state'));
  expect(new StateDir(join(root, 'state')).ensureRunDir('run-1')).toBe(join(root, 'state', 'runs', 'run-1'));
  expect(fs.existsSync(join(target, 'runs', 'run-1'))).toBe(true);
  fs.chmodSync(target, 0o777);
  expect(() => new StateDir(join(root, 'state')).ensure()).toThrow(expect.objectContaining({ code: 'ERR_STATE_DIR' }));
});

test('a file in the place of a folder is told as what it is', () => {
  const root = tempDir();
  fs.writeFileSync(join(root, 'file'), '');
  const refusal = expect.objectContaining({ code: 'ERR_STATE_DIR', hint: expect.stringContaining('--dir') });
  expect(() => new StateDir(join(root, 'file')).ensure()).toThrow(refusal);
  expect(() => new StateDir(join(root, 'file', 'below')).ensure()).toThrow(refusal);
  expect(() => new StateDir(join(root, 'file')).runIds()).toThrow(refusal);
  fs.writeFileSync(join(root, 'runs'), '');
  expect(() => new StateDir(root).ensureRunDir('run-1')).toThrow(refusal);
});

test('runs are listed by their folders and by their locks, each once, sorted', () => {
  const state = new StateDir(tempDir());
  state.ensureRunDir('b');
  state.ensureRunDir('a');
  fs.mkdirSync(join(state.root, 'locks', 'files'), { recursive: true });
  for (const name of ['b.lock', 'c.lock', '.lock', 'note.txt']) fs.writeFileSync(join(state.root, 'locks', name), '');
  expect(state.runIds()).toEqual(['a', 'b', 'c']);
});
