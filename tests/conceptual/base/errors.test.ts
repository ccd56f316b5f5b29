import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodeOfError } from '../../../dist/cli/exit-code.js';
import { ERROR_CODES, HoldfastError, type ErrorCode } from '../../../dist/index.js';

const ROOT = join(import.meta.dirname, '../../..');
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** Rows of the tables of docs/errors.md that begin with a code: code, when, what to do, exit. */
const ROWS = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| `(ERR_\w+)` \| (.+) \| (.+) \| (\d*) ?\|$/.exec(line)?.slice(1))
  .filter((row) => row !== undefined);

describe('docs/errors.md', () => {
  test('tells of every code once, and of no other', () => {
    expect(ROWS.map(([code]) => code).toSorted()).toEqual(CODES.toSorted());
  });

  test('says of every code when it comes, and what to do', () => {
    for (const [code, when, toDo] of ROWS) {
      expect(when!.length, code).toBeGreaterThan(20);
      expect(toDo!.length, code).toBeGreaterThan(10);
    }
  });

  test('names the exit code that the command ends with', () => {
    const told = Object.fromEntries(
      ROWS.filter(([, , , exit]) => exit === '1' || exit === '64').map(([code, , , exit]) => [code, Number(exit)]),
    );
    const real = Object.fromEntries(
      Object.keys(told).map((code) => [code, exitCodeOfError(new HoldfastError(code as ErrorCode, ''))]),
    );
    expect(told).toEqual(real);
  });
});

describe('the codes', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('runtime/errors.ts'))
    .map((file) => ({ file, text: readFileSync(join(ROOT, 'src', file), 'utf8') }));

  test('are each raised somewhere', () => {
    const code = withoutComments(sources.map(({ text }) => text).join('\n'));
    expect(CODES.filter((name) => !code.includes(`'${name}'`) && !code.includes(`${name}:`))).toEqual([]);
  });

  test('are all that code and comments speak of', () => {
    const unknown = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\bERR_[A-Z_]+[A-Z]\b(?!_)/g)]
        .map(([name]) => name)
        .filter((name) => !(name in ERROR_CODES) && !NODES_OWN.has(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

/** Codes of Node's own errors that the code knows. */
const NODES_OWN = new Set(['ERR_DLOPEN_FAILED', 'ERR_WORKER_OUT_OF_MEMORY']);

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
