/** Programs that are not ours, of npm, on each version of Node: what the command shows of them, and that they go on as before. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished } from 'vitest';
import { listenersOf } from '../../../dist/debug/process/listeners.js';
import { place } from '../../support/command.js';
import { ownTurns } from '../../support/inspected.js';
import { onEveryNode } from '../../support/node-versions.js';
import { startTarget } from '../../support/target.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

/** It comes with vitest. */
const VITEST = createRequire(import.meta.url).resolve('vitest/package.json');
const VITE = join(dirname(createRequire(VITEST).resolve('vite/package.json')), 'bin/vite.js');
const PROGRAMS = String.raw`\S*fixtures/programs`;
beforeEach(ownTurns);

const portsOf = (pid: number) => listenersOf(pid).map(({ port }) => port);

/** What `runtime inspect` prints; the process listens nowhere else than before. */
async function inspected(pid: number): Promise<string> {
  const before = portsOf(pid);
  const { exitCode, stdout, stderr } = await place().runtime(['inspect', String(pid)]);
  expect(stderr).toMatch(/^main is paused for about .+$/m);
  expect(exitCode).toBe(0);
  expect(portsOf(pid)).toEqual(before);
  // On a busy machine a prediction may be wrong, which is said between the others.
  return stdout.replaceAll(/^ {2}note: it stood still for .*\n/gm, '');
}

await onEveryNode(
  'a web server shows its handlers, what they query, and its sockets; and it goes on to serve',
  async ({ path }) => {
    const { pid, said: port } = await startTarget('programs/web-server.mjs', [], { node: path });
    const text = await inspected(pid);
    expect(text).toMatch(
      new RegExp(
        String.raw`
main  waiting, heap .*, paused .* predicted\)
  9 suspended functions
  └─ slow ×3  ${PROGRAMS}/web-server\.mjs:21:16
     └─ Promise\.all ▸ query ×6  (?:written at )?${PROGRAMS}/web-server\.mjs:(?:10:3|9:21)
        └─ timer, due in .* ×6
  open handles
    server on 127\.0\.0\.1:${port}
`,
      ),
    );
    expect(await (await fetch(`http://127.0.0.1:${port}/fast`)).json()).toBe('fast');
  },
);

await onEveryNode('a pool of threads shows who waits, and who spins; and it comes to its end', async ({ path }) => {
  const { pid, child } = await startTarget('programs/pool.mjs', [], { node: path });
  const text = await inspected(pid);
  expect(text).toMatch(
    new RegExp(String.raw`\nworker \d runs spins \(${PROGRAMS}/pool-worker\.mjs:10:\d+\); main and worker \d wait\n`),
  );
  expect(text).toMatch(new RegExp(String.raw`\n  └─ main  ${PROGRAMS}/pool\.mjs:\d+:19\n     [├└]─ Promise\.all ▸ `));
  expect(text).toMatch(new RegExp(String.raw`\n +└─ waits  ${PROGRAMS}/pool-worker\.mjs:5:39\n +└─ timer, `));
  let told = '';
  child.stdout!.on('data', (chunk: Buffer) => (told += String(chunk)));
  child.kill('SIGTERM');
  await waitFor('the pool to end', () => child.exitCode === 0);
  expect(told).toBe('ready 10\n');
});

await onEveryNode('a bundler in watch mode is told to wait; and it goes on to watch', async ({ path }) => {
  const dir = tempDir();
  writeFileSync(join(dir, 'entry.js'), 'export const built = "once";');
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  const args = ['--inspect-port=0', VITE, 'build', '--watch', '--ssr', 'entry.js'];
  const vite = spawn(path, args, { cwd: dir, env: { ...process.env, NODE_V8_COVERAGE: '' } });
  onTestFinished(() => void vite.kill('SIGKILL'));
  let told = '';
  for (const stream of [vite.stdout, vite.stderr]) stream.on('data', (chunk: Buffer) => (told += String(chunk)));
  const built = (times: number) => waitFor(`${times} builds`, () => told.split('built in').length > times);
  await built(1);
  expect(await inspected(vite.pid!)).toMatch(/vite\.js build --watch --ssr entry\.js .*\n\nmain {2}waiting, heap /);
  writeFileSync(join(dir, 'entry.js'), 'export const built = "twice";');
  await built(2);
});
