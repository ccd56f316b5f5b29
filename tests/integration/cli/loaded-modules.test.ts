/**
 * What a small command loads, by name: a start costs little else. A change of
 * these lists is to be meant; `npx vitest run <this file> -u` writes it down.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { place } from '../../support/command.js';
import { tempDir } from '../../support/temp-dir.js';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Files of `dist` by their path, the store and the lock as one each, packages by their name. Node itself counts, in every process. */
function loaded(cwd: string, args: readonly string[]): string {
  const counts = tempDir();
  const { stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NODE_V8_COVERAGE: counts, RUNTIME_DIR: '' },
  });
  const reports = readdirSync(counts);
  expect(reports, stderr).toHaveLength(1);
  const { result } = JSON.parse(readFileSync(join(counts, reports[0]!), 'utf8')) as { result: { url: string }[] };
  const names = result.flatMap(({ url }) => {
    const [, pack, ours] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)|\/dist\/(.*)$/.exec(url) ?? [];
    return pack ?? ours?.replace(/^(runtime\/queue\/sqlite\/|system\/lock\/).*/, '$1') ?? [];
  });
  return `${[...new Set(names)].toSorted().join('\n')}\n`;
}

test.each([
  ['help', ['--help']],
  ['version', ['--version']],
  ['status', ['status', 'work']],
  ['probe', ['status', 'work', '--probe', 'live']],
  ['lock', ['lock', 'show', 'work']],
])('%s loads what is needed for it, and nothing else', async (name, args) => {
  const { dir } = place();
  execFileSync(process.execPath, [MAIN, 'run', 'work.mjs', '--lines', '--quiet', '--threads', '1'], {
    cwd: dir,
    input: '1\n',
    env: { ...process.env, RUNTIME_DIR: '' },
  });
  await expect(loaded(dir, args)).toMatchFileSnapshot(`loaded/${name}.txt`);
});
