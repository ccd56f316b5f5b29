/** The config file as the commands take it: found or named, below flags and environment, refused before anything is made. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAIN, parsed, place } from '../../support/command.js';
import { longTest, longTestAfter } from '../../support/long.js';

const ROOT = join(import.meta.dirname, '../../..');
const HINT = 'Every key, and what it takes: runtime config schema\n';

/** A place with a handler that tells how it was run. */
function workshop() {
  const here = place();
  here.write(
    'told.mjs',
    `import { isMainThread, resourceLimits } from 'node:worker_threads';
     export default (_, { attempt }) => ({ pid: process.pid, ppid: process.ppid, attempt, heap: resourceLimits.maxOldGenerationSizeMb, isMainThread });
     export const other = () => 'other';
     export const fails = (_, { attempt }) => { throw new Error('try ' + attempt); };`,
  );
  const run = async (...args: string[]) => {
    const ended = await here.runtime(['run', 'told.mjs', '--lines', '--json', ...args], { input: '1\n' });
    return {
      ...ended,
      summary: ended.stdout === '' ? undefined : (JSON.parse(ended.stdout) as Record<string, unknown>),
    };
  };
  return { ...here, run };
}

describe('runtime run', () => {
  test('takes what the file says as if it had been typed', async () => {
    const { write, runtime } = workshop();
    write('runtime.config.yaml', 'run: { threads: 1, handler: other }\n');
    const { stdout, exitCode } = await runtime(['run', 'told.mjs', '--lines', '--results', '-'], { input: '1\n' });
    expect(parsed(stdout)).toMatchObject([{ result: 'other', handler: 'other' }]);
    expect(exitCode).toBe(0);
  });

  test('has as many threads as are typed; else, as the file says', async () => {
    const { write, run } = workshop();
    write('runtime.config.json', '{"run":{"threads":3,"supervise":false}}');
    expect((await run()).summary).toMatchObject({ threads: 3 });
    expect((await run('--threads', '1')).summary).toMatchObject({ threads: 1 });
  });

  test('takes every kind of setting: retries with their waits, the heap limit, the supervisor, the queue in memory', async () => {
    const { dir, write, runtime } = workshop();
    write(
      'runtime.config.json',
      JSON.stringify({
        run: { retries: 2, backoff: { base: '1ms', max: '1ms' }, memory: '64MB', supervise: false, durable: false },
      }),
    );
    const args = ['run', 'told.mjs', '--lines', '--results', '-'];
    const { pid: child, ...seen } = await new Promise<Record<string, unknown>>((resolve) => {
      const { pid, stdout } = spawnSync(process.execPath, [MAIN, ...args], {
        cwd: dir,
        input: '1\n',
        encoding: 'utf8',
      });
      resolve({ ...(parsed(stdout)[0]!['result'] as object), supervisor: pid });
    });
    expect(seen).toMatchObject({ heap: 64, isMainThread: false });
    // Without a supervisor, the process that was started runs the threads itself.
    expect(child).toBe(seen['supervisor']);
    expect(existsSync(join(dir, '.runtime/runs/told/queue.db'))).toBe(false);
    const failed = await runtime([...args, '--handler', 'fails'], { input: '1\n' });
    expect(parsed(failed.stdout)).toMatchObject([{ state: 'failed', attempts: 3, error: { message: 'try 3' } }]);
  });

  test('lets a flag turn on again what the file turned off', async () => {
    const { dir, write, run } = workshop();
    write('runtime.config.yaml', 'run:\n  durable: false\n  supervise: false\n');
    await run();
    expect(existsSync(join(dir, '.runtime/runs/told/queue.db'))).toBe(false);
    expect((await run('--durable')).exitCode).toBe(0);
    expect(existsSync(join(dir, '.runtime/runs/told/queue.db'))).toBe(true);
    const { stdout } = await workshopRun(dir, '--supervise', '--fresh');
    const { pid, ppid } = parsed(stdout)[0]!['result'] as Record<string, number>;
    expect([pid, ppid]).not.toContain(process.pid);
    const alone = await workshopRun(dir, '--fresh');
    expect((parsed(alone.stdout)[0]!['result'] as Record<string, number>)['ppid']).toBe(process.pid);
    expect(ppid).not.toBe(process.pid);
  });

  const workshopRun = async (dir: string, ...args: string[]) => {
    const all = [MAIN, 'run', 'told.mjs', '--lines', '--results', '-', ...args];
    return spawnSync(process.execPath, all, { cwd: dir, input: '1\n', encoding: 'utf8' });
  };
});

describe('a config file with faults', () => {
  longTestAfter(2, [
    ['run told.mjs --lines'],
    ['status'],
    ['run told.mjs --lines --no-supervise'],
    ['smoke'],
    ['pause told'],
  ])('ends `runtime %s` with 64, all of them told, and nothing made', async (command) => {
    const { dir, write, runtime } = workshop();
    write('runtime.config.yaml', 'dirr: state\nrun:\n  threads: x\nsmoke:\n  timeout: 3\n');
    const { exitCode, stdout, stderr } = await runtime(command.split(' '), { input: '1\n' });
    expect(stderr).toBe(
      'runtime: the config file runtime.config.yaml is not valid:\n' +
        '  run.threads: must be a whole number from 1 to 1024, got "x"\n' +
        '  smoke.timeout: must be a string with a unit, such as "500ms" or "30s", got 3\n' +
        '  dirr: is unknown; did you mean "dir"?\n' +
        HINT,
    );
    expect([exitCode, stdout]).toEqual([64, '']);
    for (const name of ['.runtime', 'state']) expect(existsSync(join(dir, name)), name).toBe(false);
  });

  longTestAfter<[string, string[], string, string[]]>(2, [
    [
      'that there are two of',
      ['runtime.config.json', 'runtime.config.mjs'],
      'there may be one\nRemove one, or choose: --config',
      [],
    ],
    ['that is none', [], 'the config file nope.yaml cannot be read: there is no such file', ['--config', 'nope.yaml']],
    ['without a name', [], '--config: must be a file, got ""', ['--config=']],
    ['that is a folder', [], 'the config file sub cannot be read: it is a folder', ['--config', 'sub']],
  ])('%s ends a run with 64, and nothing made', async (_, names, words, flags) => {
    const { dir, write, runtime } = workshop();
    mkdirSync(join(dir, 'sub'));
    for (const name of names) write(name, name.endsWith('.json') ? '{}' : 'export default {};');
    const { exitCode, stderr } = await runtime(['run', 'told.mjs', '--lines', ...flags], { input: '1\n' });
    expect(stderr).toContain(words);
    expect(exitCode).toBe(64);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
  });

  test('is told before the flags are looked at: it might have been what is wrong with them', async () => {
    const { write, run } = workshop();
    write('runtime.config.json', '{"x":1}');
    const { stderr } = await run('--threads', 'x');
    expect(stderr).toContain('  x: is unknown\n');
    expect(stderr).not.toContain('--threads');
  });

  test('keeps nobody from steering a run whose folder is known', async () => {
    const { dir, write, runtime } = workshop();
    await runtime(['run', 'told.mjs', '--lines', '--quiet', '--no-supervise', '--threads', '1'], { input: '1\n' });
    write('runtime.config.json', '{"x":1}');
    expect((await runtime(['status'])).exitCode).toBe(64);
    expect((await runtime(['status', '--dir', '.runtime'])).stdout).toContain('1 done');
    expect((await runtime(['status'], { env: { RUNTIME_DIR: join(dir, '.runtime') } })).stdout).toContain('1 done');
  });

  // Permissions do not bind root, so root tries as nobody.
  const asNobody = process.getuid!() === 0 ? { uid: 65534, gid: 65534 } : {};
  const seesCheckout = spawnSync('test', ['-r', MAIN], asNobody).status === 0;
  test.skipIf(!seesCheckout)('that may not be read is told as that', () => {
    const { dir, write } = workshop();
    chmodSync(dir, 0o755);
    chmodSync(write('runtime.config.yaml', 'dir: x\n'), 0o000);
    const args = [MAIN, 'status', '--config', 'runtime.config.yaml'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8', ...asNobody });
    expect(stderr).toContain('the config file runtime.config.yaml cannot be read: this user may not read it');
    expect(status).toBe(64);
  });
});

describe('the folder of state', () => {
  test('is where the file says, for every command', async () => {
    const { dir, write, runtime, run } = workshop();
    write('runtime.config.mjs', 'export default { dir: "./kept" };');
    expect((await run()).exitCode).toBe(0);
    expect(existsSync(join(dir, 'kept/runs/told/queue.db'))).toBe(true);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
    expect((await runtime(['status'])).stdout).toBe('told  idle  1 done\n');
    expect(parsed((await runtime(['results', 'told'])).stdout)).toMatchObject([{ state: 'done' }]);
    for (const command of ['pause', 'resume', 'drain'])
      expect((await runtime([command, 'told'])).stderr).toContain('no executor is running for "told"');
    expect((await runtime(['lock', 'show', 'told'])).stdout).toContain(join(dir, 'kept/locks'));
    expect((await runtime(['lock', 'list'])).stderr).toContain(`no locks in ${join(dir, 'kept')}`);
    expect((await runtime(['lock', 'release', 'told'])).stderr).toContain('nothing to release');
  });

  test('is from where the file is, not from where the command is', async () => {
    const { dir, runtime } = workshop();
    mkdirSync(join(dir, 'etc'));
    writeFileSync(join(dir, 'etc/other.yaml'), 'dir: state\n');
    await runtime(['run', 'told.mjs', '--lines', '--quiet', '--threads', '1', '--config', 'etc/other.yaml'], {
      input: '1\n',
    });
    expect(existsSync(join(dir, 'etc/state/runs/told'))).toBe(true);
    expect((await runtime(['status', '--config', 'etc/other.yaml'])).stdout).toBe('told  idle  1 done\n');
  });

  test('is where --dir says, else RUNTIME_DIR, else the file', async () => {
    const { dir, write, runtime } = workshop();
    write('runtime.config.yaml', 'dir: from-file\n');
    const missing = async (args: string[], env: Record<string, string> = {}) =>
      (await runtime(['status', ...args], { env })).stderr;
    const none = (name: string) => `no runs in ${join(dir, name)}\n`;
    expect(await missing(['--dir', 'typed'], { RUNTIME_DIR: 'from-env' })).toBe(none('typed'));
    expect(await missing([], { RUNTIME_DIR: 'from-env' })).toBe(none('from-env'));
    expect(await missing([], { RUNTIME_DIR: '' })).toBe(none('from-file'));
    expect(await missing(['--config', 'runtime.config.yaml'], { RUNTIME_DIR: 'from-env' })).toBe(none('from-env'));
  });

  test('is told with the next command to type, where that would look elsewhere', async () => {
    const { write, runtime } = workshop();
    await runtime(['run', 'told.mjs', '--lines', '--quiet', '--no-supervise', '--threads', '1'], { input: '1\n' });
    expect((await runtime(['pause', 'told'])).stderr).toContain('runtime status told\n');
    write('runtime.config.yaml', 'dir: other\n');
    expect((await runtime(['pause', 'told', '--dir', '.runtime'])).stderr).toContain(
      'runtime status told --dir .runtime\n',
    );
    const env = { RUNTIME_DIR: '.runtime' };
    expect((await runtime(['pause', 'told'], { env })).stderr).toContain('runtime status told\n');
  });
});

describe('runtime dry-run', () => {
  const emitted = async (here: ReturnType<typeof place>, args: string[] = [], env: Record<string, string> = {}) => {
    const { stdout, stderr, exitCode } = await here.runtime(['dry-run', '--emit', ...args], { env });
    expect([stderr, exitCode]).toEqual(['', 0]);
    return stdout;
  };
  const settings = (seed: number, count = 5) => ['--pattern', 'random', '--seed', `${seed}`, '--count', `${count}`];

  test('takes the file below flags and environment', async () => {
    const here = place();
    const [seven, eight, nine] = await Promise.all([7, 8, 9].map((seed) => emitted(here, settings(seed))));
    expect(new Set([seven, eight, nine]).size).toBe(3);
    here.write('runtime.config.yaml', 'dryRun: { pattern: random, seed: 7, count: 5 }\n');
    expect(await emitted(here)).toBe(seven);
    expect(await emitted(here, [], { DRY_RUN_SEED: '8' })).toBe(eight);
    expect(await emitted(here, ['--seed', '9'], { DRY_RUN_SEED: '8' })).toBe(nine);
  });

  test('ends by what is typed, when the file says it ends by something else', async () => {
    const here = place();
    here.write('runtime.config.yaml', 'dryRun: { rate: 100, duration: 1s }\n');
    expect(parsed(await emitted(here))).toHaveLength(100);
    expect(parsed(await emitted(here, ['--count', '3']))).toHaveLength(3);
    here.write('runtime.config.yaml', 'dryRun: { rate: 100, count: 7 }\n');
    expect(parsed(await emitted(here))).toHaveLength(7);
    expect(parsed(await emitted(here, ['--duration', '500ms']))).toHaveLength(50);
  });

  test('finds modules from where the file is', async () => {
    const { dir, write, runtime } = place();
    mkdirSync(join(dir, 'etc'));
    write('etc/work.mjs', "export const taken = (event) => event.type + ' taken';");
    write('etc/dry.json', JSON.stringify({ dir: 's', dryRun: { count: 2, rate: 1_000, handler: './work.mjs#taken' } }));
    expect((await runtime(['dry-run', '--config', 'etc/dry.json'])).exitCode).toBe(0);
    const { stdout } = await runtime(['results', 'dry-run', '--config', 'etc/dry.json']);
    // Two threads: either may be first.
    expect(
      parsed(stdout)
        .map(({ result }) => result)
        .toSorted(),
    ).toEqual(['order taken', 'trade taken']);
  });
});

describe('runtime smoke', () => {
  const SILENT =
    'export default { smoke: { timeout: "300ms", threads: 1, eventSource: async function* (signal) { await new Promise((done) => signal.addEventListener("abort", done)); } } };';

  test('takes timeout, events and checks of the file', async () => {
    const { dir, write, runtime } = workshop();
    write('runtime.config.mjs', SILENT);
    const stalled = await runtime(['smoke']);
    expect(stalled.stdout).toContain('timeout configured (300ms)');
    expect(stalled.exitCode).toBe(2);
    write(
      'runtime.config.mjs',
      `export default { smoke: { threads: 1, handler: './told.mjs#other', eventSource: () => ['x'], postConditions: [
         { name: 'mine', expected: 'moon', check: ({ outcomes: [{ result }] }) => ({ ok: false, actual: result }) } ] } };`,
    );
    const failed = await runtime(['smoke']);
    expect(failed.stdout).toMatch(/FAILED +mine .*other/);
    expect(failed.exitCode).toBe(1);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
  });

  test('puts flags and environment above the file', async () => {
    const { write, runtime } = workshop();
    write('runtime.config.mjs', SILENT);
    const env = { BOOT_TIMEOUT_S: '0.2' };
    expect((await runtime(['smoke'], { env })).stdout).toContain('timeout configured (200ms)');
    expect((await runtime(['smoke', '--timeout', '250ms'], { env })).stdout).toContain('timeout configured (250ms)');
    const { stderr, exitCode } = await runtime(['smoke'], { env: { BOOT_TIMEOUT_S: 'abc' } });
    expect(stderr).toContain('BOOT_TIMEOUT_S');
    expect(exitCode).toBe(64);
  });

  longTest('passes with the example', async () => {
    const { stdout, exitCode } = await place().runtime([
      'smoke',
      '--config',
      join(ROOT, 'examples/runtime.config.mjs'),
    ]);
    expect(stdout).toMatch(/ok +checksum made/);
    expect(exitCode).toBe(0);
  });
});

describe('runtime config check', () => {
  test('says which file it read, that it is valid, and what it says', async () => {
    const { dir, write, runtime } = workshop();
    write('runtime.config.yaml', 'dir: s\nrun:\n  threads: 2\n  backoff: { base: 1s }\n');
    expect(await runtime(['config', 'check'], { env: { RUNTIME_DIR: '/elsewhere' } })).toEqual({
      exitCode: 0,
      signal: undefined,
      stdout:
        `dir               "${join(dir, 's')}"  (RUNTIME_DIR is set, and takes precedence)\n` +
        'run.threads       2\n' +
        'run.backoff.base  "1s"\n',
      stderr: 'runtime.config.yaml is valid\n',
    });
    expect(existsSync(join(dir, 's'))).toBe(false);
  });

  test('gives it as one document with --json, functions named as such', async () => {
    const { dir, write, runtime } = workshop();
    write('my.mjs', 'export default { dir: "s", smoke: { eventSource: () => [] } };');
    for (const args of [['my.mjs'], ['--config', 'my.mjs']]) {
      const { stdout, stderr, exitCode } = await runtime(['config', 'check', '--json', ...args]);
      expect(JSON.parse(stdout)).toEqual({
        schema: 1,
        file: join(dir, 'my.mjs'),
        config: { dir: join(dir, 's'), smoke: { eventSource: '[function]' } },
      });
      expect([stderr, exitCode]).toEqual(['my.mjs is valid\n', 0]);
    }
  });

  test('of two files checks neither', async () => {
    const { write, runtime } = workshop();
    for (const name of ['a.json', 'b.json']) write(name, '{}');
    const { exitCode, stdout, stderr } = await runtime(['config', 'check', 'a.json', '--config', 'b.json']);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain('"a.json" and --config "b.json" name the file to check twice');
  });

  test('without a file says so, and how to make one that is valid', async () => {
    const { dir, write, runtime } = workshop();
    const { exitCode, stdout, stderr } = await runtime(['config', 'check']);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(`runtime: there is no config file in ${dir}: none is needed\n`);
    const [, yaml] = /such as this runtime\.config\.yaml:\n((?: {2}.*\n)+)/.exec(stderr)!;
    write('runtime.config.yaml', yaml!);
    expect((await runtime(['config', 'check'])).exitCode).toBe(0);
  });

  test('ends, whatever the file leaves open', async () => {
    const { write, runtime } = workshop();
    write('runtime.config.mjs', 'setInterval(() => {}, 1_000); export default {};');
    expect((await runtime(['config', 'check'])).exitCode).toBe(0);
    write('runtime.config.mjs', 'setInterval(() => {}, 1_000); throw new Error("no");');
    expect((await runtime(['status'])).exitCode).toBe(64);
  });

  longTest('takes the example', async () => {
    const { runtime } = place();
    const { exitCode, stdout } = await runtime([
      'config',
      'check',
      join(ROOT, 'examples/runtime.config.mjs'),
      '--json',
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      config: { smoke: { handler: join(ROOT, 'examples/checksum.mjs'), postConditions: [{ name: 'checksum made' }] } },
    });
  });

  test('takes every example of the guide', async () => {
    const { dir, write, runtime } = place();
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    const guide = readFileSync(join(ROOT, 'docs/config.md'), 'utf8');
    const examples = [...guide.matchAll(/^```(yaml|json|ts)\n([\s\S]+?)^```/gm)];
    expect(examples.map(([, kind]) => kind)).toEqual(['yaml', 'ts', 'json']);
    for (const [, kind, text] of examples) {
      // The package cannot be found by its name outside of the checkout.
      const index = JSON.stringify(join(ROOT, 'dist/index.js'));
      write(`example.${kind!}`, text!.replace("'holdfast'", index));
      expect(await runtime(['config', 'check', `example.${kind!}`])).toMatchObject({
        exitCode: 0,
        stderr: `example.${kind!} is valid\n`,
      });
    }
  });
});

describe('runtime config schema', () => {
  test('prints the JSON Schema that the package has', async () => {
    const { stdout, exitCode } = await place().runtime(['config', 'schema']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(ROOT, 'config.schema.json'), 'utf8')));
  });
});

describe('TypeScript', () => {
  longTestAfter(1, [
    ['ts', 'const config: object = { run: { threads: 3 } };\nexport default config satisfies object;\n'],
    ['mts', 'export default { run: { threads: 3 as number } };\n'],
    ['cts', 'const config: object = { run: { threads: 3 } };\nmodule.exports = config;\n'],
  ])('runs in runtime.config.%s, if something is there that runs it', async (kind, text) => {
    const { dir, write, run } = workshop();
    write(`runtime.config.${kind}`, text);
    if ((process.features as { typescript?: unknown }).typescript === undefined) {
      const { stderr, exitCode } = await run();
      expect(stderr).toMatch(/does not run TypeScript by itself\. Install tsx .*, or use Node 22\.18 or newer\.\n$/);
      expect(exitCode).toBe(64);
      symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    }
    expect((await run()).summary).toMatchObject({ threads: 3 });
  });

  test('that ends the process, or throws when it is looked at, is told as such: it is no success', async () => {
    const { write, run } = workshop();
    write('runtime.config.mjs', 'export default {};\nprocess.exit(0);\n');
    const { stderr, exitCode } = await run();
    expect(stderr).toContain('cannot be read: it calls process.exit (runtime.config.mjs:2:9)\n');
    expect(exitCode).toBe(64);
    write('runtime.config.mjs', 'export default { get run() { throw new Error("not yet"); } };\n');
    const other = await run();
    expect(other.stderr).toContain('what it exports cannot be read: not yet\n');
    expect(other.exitCode).toBe(64);
  });

  test('that does not compile, or throws, is told with its place', async () => {
    const { dir, write, run } = workshop();
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    write('runtime.config.ts', 'const a: number = 1;\nexport default { run: { threads: } };\n');
    const { stderr, exitCode } = await run();
    expect(stderr).toMatch(/runtime\.config\.ts/);
    expect(exitCode).toBe(64);
    write('runtime.config.ts', 'interface A {\n  b: 1;\n}\nthrow new Error("no database");\n');
    expect((await run()).stderr).toContain('cannot be read: no database (runtime.config.ts:4:');
  });
});
