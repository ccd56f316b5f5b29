/** A config file that is a module: what it says arrives, the module itself does not. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { evaluateConfig } from '../../../dist/config/evaluate-config.js';
import { loadConfig } from '../../../dist/config/load-config.js';
import { MAIN, parsed, place } from '../../support/command.js';
import { rejection } from '../../support/executors.js';
import { longTest } from '../../support/long.js';
import { tempDir } from '../../support/temp-dir.js';

function module(text: string, name = 'a.mjs'): string {
  const path = join(tempDir(), name);
  writeFileSync(path, text);
  return path;
}

describe('a module', () => {
  afterEach(() => {
    delete process.env['FROM_CONFIG'];
    delete process.env['TAKEN_AWAY'];
  });

  test('says what it says here, but for what serves `runtime smoke`', async () => {
    const path = module(
      `export default {
         dir: 'state', run: { threads: 3, timeout: undefined, rate: '5/s' }, dryRun: { handler: './h.mjs#x' },
         smoke: { eventSource: () => [] },
       };`,
    );
    const { smoke, ...whole } = await loadConfig(path);
    expect(smoke).toBeDefined();
    expect(await evaluateConfig(path)).toEqual(whole);
  });

  test('runs in a process of its own, which sees the command and its flags as they were typed', async () => {
    const path = module('export default { dir: `${process.pid} ${globalThis.seen ?? ""} ${process.argv.slice(1)}` };');
    Object.assign(globalThis, { seen: 'by us' });
    const { dir } = await evaluateConfig(path);
    const [, ...argv] = process.argv;
    expect(dir).toContain(`  ${argv.join(',')}`);
    expect(dir).not.toContain(`/${process.pid} `);
  });

  test('sets and removes variables of the environment for those that come after it', async () => {
    process.env['TAKEN_AWAY'] = 'x';
    const path = module(`process.env.FROM_CONFIG = 'set'; delete process.env.TAKEN_AWAY; export default {};`);
    await evaluateConfig(path);
    expect([process.env['FROM_CONFIG'], process.env['TAKEN_AWAY']]).toEqual(['set', undefined]);
  });

  test('may leave open what it likes: its process ends', async () => {
    const path = module(
      'setInterval(() => {}, 1_000); process.stdin.resume(); export default { dir: String(process.pid) };',
    );
    const { dir } = await evaluateConfig(path);
    const pid = Number(/\d+$/.exec(dir!)![0]);
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 30_000 }).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['a function', 'export default () => ({});'],
    ['faults of several kinds', 'export default { x: 1, run: { threads: "x" }, smoke: { eventSource: 1 } };'],
    ['a text that is not JavaScript', 'export default {,};'],
    ['a throw', '\n  throw new RangeError("no database");'],
    ['an exit', '\n process.exit(0);'],
    ['an import of what is not there', 'import "no-such-package";'],
    ['what throws when it is looked at', 'export default { get run() { throw new Error("not now"); } };'],
  ])('with %s is refused in the words it would be refused in here', async (_, text) => {
    const path = module(text);
    const said = async (refused: Promise<unknown>) => {
      const { code, message, hint } = await rejection(refused);
      return { code, message, hint };
    };
    expect(await said(evaluateConfig(path))).toEqual(await said(loadConfig(path)));
  });

  test('that waits for what never comes is refused at the deadline', async () => {
    const path = module('await new Promise(() => {}); export default {};');
    expect((await rejection(evaluateConfig(path, 50))).message).toMatch(
      /a\.mjs cannot be read: it has not loaded within 50ms: what does it wait for\?$/,
    );
  });

  longTest('that spins is ended, and refused in the same words', async () => {
    const path = module('for (;;);');
    expect((await rejection(evaluateConfig(path, 50))).message).toMatch(/has not loaded within 50ms/);
  });

  test.each([
    ['process.kill(process.pid, "SIGKILL"); await new Promise(() => {});', 'its process ended by SIGKILL'],
    ['process.reallyExit(7);', 'its process ended with exit code 7'],
  ])('that takes its process down is refused: %s', async (text, why) => {
    expect((await rejection(evaluateConfig(module(text)))).message).toMatch(new RegExp(`cannot be read: ${why}$`));
  });
});

describe('the command', () => {
  /** A config file that notes which process it runs in. */
  const NOTED =
    'import { writeFileSync } from "node:fs"; console.log("printed"); process.stdout.write("raw\\n");' +
    'writeFileSync("pid", String(process.pid)); export default { run: { threads: 1 }, smoke: { timeout: "1ms" } };';

  test.each(['run work.mjs --lines --results -', 'run work.mjs --lines --results - --no-supervise', 'status --json'])(
    'runtime %s never loads it, and what it prints is not data',
    (command) => {
      const here = place();
      here.write('runtime.config.mjs', NOTED);
      const { pid, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...command.split(' ')], {
        cwd: here.dir,
        input: '1\n',
        encoding: 'utf8',
      });
      expect(parsed(stdout)).toHaveLength(1);
      expect(stderr).toContain('printed\nraw\n');
      expect(Number(readFileSync(join(here.dir, 'pid'), 'utf8'))).not.toBe(pid);
    },
  );

  test('runtime smoke loads it: its functions are called there', () => {
    const here = place();
    here.write('runtime.config.mjs', NOTED);
    const { pid } = spawnSync(process.execPath, [MAIN, 'smoke'], { cwd: here.dir });
    expect(Number(readFileSync(join(here.dir, 'pid'), 'utf8'))).toBe(pid);
  });
});
