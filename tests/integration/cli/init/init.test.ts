import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsed, place, type Place } from '../../../support/command.js';

function emptyPlace(): Place {
  const here = place();
  rmSync(join(here.dir, 'work.mjs'));
  return here;
}

/** The commands that it says to type next, as arguments. */
function nextOf(stdout: string): string[][] {
  return [...stdout.matchAll(/^ {2}runtime (.*)$/gm)].map(([, words]) => words!.replaceAll("'", '').split(' '));
}

test('what is written runs as it says', async () => {
  const { dir, runtime } = emptyPlace();
  const { exitCode, stdout } = await runtime(['init']);
  expect(exitCode).toBe(0);
  expect(readdirSync(dir).toSorted()).toEqual(['runtime.config.yaml', 'work.mjs']);
  const [run, results] = nextOf(stdout);
  expect(await runtime(run!)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('2 done') as string });
  const lines = readFileSync(join(dir, 'work.mjs'), 'utf8').split('\n').length - 1;
  const outcomes = parsed((await runtime(results!)).stdout);
  expect(outcomes.find(({ id }) => id === 'work.mjs')).toMatchObject({ state: 'done', result: { lines } });
  expect((await runtime(['config', 'check'])).stdout).toContain('run.retries  2');
});

test('a folder is made that is not there', async () => {
  const { dir, runtime } = emptyPlace();
  const { stdout } = await runtime(['init', 'new/my jobs']);
  expect(readdirSync(join(dir, 'new/my jobs'))).toHaveLength(2);
  expect(stdout).toContain("  cd 'new/my jobs'\n");
});

test.each([
  ['work.mjs', 'work.mjs is in '],
  ['runtime.config.ts', 'runtime.config.ts is in '],
])('where %s is there, nothing is written, and nothing overwritten', async (name, words) => {
  const { dir, runtime, write } = emptyPlace();
  write(name, 'mine');
  const { exitCode, stdout, stderr } = await runtime(['init']);
  expect(stderr).toContain(words);
  expect(stderr).toContain('nothing is overwritten\nNothing was written. For another folder: runtime init <folder>');
  expect([exitCode, stdout]).toEqual([64, '']);
  expect(readdirSync(dir)).toEqual([name]);
  expect(readFileSync(join(dir, name), 'utf8')).toBe('mine');
});

test('a link that leads nowhere is not written through', async () => {
  const { dir, runtime } = emptyPlace();
  symlinkSync('elsewhere', join(dir, 'work.mjs'));
  const { exitCode } = await runtime(['init']);
  expect(exitCode).toBe(64);
  expect(readdirSync(dir)).toEqual(['work.mjs']);
});

test('a file in the place of the folder is named', async () => {
  const { runtime, write } = emptyPlace();
  write('taken', '');
  const { exitCode, stderr } = await runtime(['init', 'taken']);
  expect(stderr).toMatch(/^runtime: nothing was written: .*taken/);
  expect(exitCode).toBe(64);
});

test('where the package is installed, editors are told of its schema', async () => {
  const { dir, runtime, write } = emptyPlace();
  mkdirSync(join(dir, 'node_modules/holdfast'), { recursive: true });
  write('node_modules/holdfast/config.schema.json', '{}');
  await runtime(['init']);
  expect(readFileSync(join(dir, 'runtime.config.yaml'), 'utf8')).toMatch(
    /^# yaml-language-server: \$schema=\.\/node_modules\/holdfast\/config\.schema\.json\n/,
  );
});
