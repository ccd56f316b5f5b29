import { execa } from 'execa';
import { expect, test } from 'vitest';
import { MAIN, place } from '../../support/command.js';

test.each([64, 110, 150])('where only %i files may be open, that is told: no stack, no hang', async (limit) => {
  const { dir, write } = place();
  const names = Array.from({ length: 200 }, (_, n) => `part-${n}.mjs`);
  for (const name of names) write(name, 'export {};');
  write('big.mjs', `${names.map((name) => `import './${name}';`).join('\n')}\nexport default (input) => input;\n`);
  const command = `ulimit -n ${limit}; exec "$0" "$@"`;
  const run = [process.execPath, MAIN, 'run', 'big.mjs', '--lines', '--threads', '4'];
  const { exitCode, stderr } = await execa('sh', ['-c', command, ...run], {
    cwd: dir,
    input: '1\n2\n',
    reject: false,
    env: { RUNTIME_DIR: '' },
  });
  expect([1, 64]).toContain(exitCode);
  // SQLite does not say why it cannot open a file.
  expect(stderr).toMatch(/EMFILE|SQLITE_CANTOPEN/);
  expect(stderr).toContain('ulimit -n');
  expect(stderr).not.toContain('    at ');
});
