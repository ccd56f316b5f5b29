import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DumpFile } from '../../../../dist/debug/trace/dump-file.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

describe('a file of dumps', () => {
  test('begins with its preamble, and grows; it is for its owner alone', async () => {
    const path = join(tempDir(), 'trace.log');
    const file = new DumpFile(path, '# top\n');
    await file.append('one\n');
    await file.append('two\n');
    expect(readFileSync(path, 'utf8')).toBe('# top\none\ntwo\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('what a process before this one wrote is kept', async () => {
    const path = join(tempDir(), 'trace.log');
    writeFileSync(path, 'before\n');
    await new DumpFile(path, '# top\n').append('now\n');
    expect(readFileSync(path, 'utf8')).toBe('before\nnow\n');
  });

  test('makes room by size: no dump is cut, none is lost but with the oldest of four files, and none is larger than it may be', async () => {
    const root = tempDir();
    const dumps = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(dumps, async (lengths) => {
        const dir = join(root, String(Math.random()).slice(2));
        mkdirSync(dir);
        const path = join(dir, 'trace.log');
        const file = new DumpFile(path, '#\n', 40);
        const all = lengths.map((length, index) => `${String(index).padEnd(length, '.')}\n`);
        for (const text of all) await file.append(text);
        const names = ['trace.log.3', 'trace.log.2', 'trace.log.1', 'trace.log'];
        expect(names).toEqual(expect.arrayContaining(readdirSync(dir)));
        const there = names.filter((name) => existsSync(join(dir, name)));
        const texts = there.map((name) => readFileSync(join(dir, name), 'utf8'));
        for (const text of texts) {
          expect(text.startsWith('#\n')).toBe(true);
          expect(text.length).toBeLessThanOrEqual(40 + 2);
        }
        const kept = texts.map((text) => text.slice(2)).join('');
        expect(all.join('').endsWith(kept)).toBe(true);
        // Files are filled before there is a new one.
        if (there.length < names.length) expect(kept).toBe(all.join(''));
      }),
      { numRuns: runs(40) },
    );
  });

  test('a dump that is larger than a file may be has one for itself, and pushes no empty one away', async () => {
    const dir = tempDir();
    const file = new DumpFile(join(dir, 'trace.log'), '#\n', 10);
    await file.append('larger than ten\n');
    expect(readdirSync(dir)).toEqual(['trace.log']);
    await file.append('one\n');
    expect(readFileSync(join(dir, 'trace.log.1'), 'utf8')).toBe('#\nlarger than ten\n');
  });

  test('one that was removed, or moved, under it is made anew', async () => {
    const path = join(tempDir(), 'trace.log');
    const file = new DumpFile(path, '#\n');
    await file.append('one\n');
    rmSync(path);
    await file.append('two\n');
    expect(readFileSync(path, 'utf8')).toBe('#\ntwo\n');
  });

  test('nothing is written through a link that somebody put in its place', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'theirs'), 'theirs');
    symlinkSync('theirs', join(dir, 'trace.log'));
    await expect(new DumpFile(join(dir, 'trace.log')).append('ours')).rejects.toMatchObject({ code: 'ELOOP' });
    expect(readFileSync(join(dir, 'theirs'), 'utf8')).toBe('theirs');
  });

  test('a folder that is gone is told, and is not made', async () => {
    const dir = join(tempDir(), 'gone');
    await expect(new DumpFile(join(dir, 'trace.log')).append('text')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(dir)).toBe(false);
  });

  test('an old one that cannot be moved away fails the dump, and not the file', async () => {
    const dir = tempDir();
    const path = join(dir, 'trace.log');
    const file = new DumpFile(path, '', 10);
    await file.append('12345678\n');
    for (const age of [2, 3]) mkdirSync(`${path}.${age}/full`, { recursive: true });
    await expect(file.append('rejected\n')).rejects.toThrow();
    expect(readFileSync(path, 'utf8')).toBe('12345678\n');
  });
});
