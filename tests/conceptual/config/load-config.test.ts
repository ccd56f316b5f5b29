/** What is found, what is taken, what is refused and how it is told, on real files. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { takeConfig } from '../../../dist/cli/arguments/config-values.js';
import { CONFIG_KINDS, findConfig } from '../../../dist/config/find-config.js';
import { loadConfig } from '../../../dist/config/load-config.js';
import { defineConfig, type HoldfastError, type InvalidInputError, type RuntimeConfig } from '../../../dist/index.js';
import { rejection } from '../../support/executors.js';
import { runs } from '../../support/runs.js';
import { tempDir } from '../../support/temp-dir.js';

const IS_ROOT = process.getuid?.() === 0;

function file(name: string, content: string | Uint8Array): string {
  const path = join(tempDir(), name);
  writeFileSync(path, content);
  return path;
}

const load = (name: string, content: string | Uint8Array) => loadConfig(file(name, content));

/** Each fault of a file as it is told, its folder left out; or what is told of it as a whole. */
async function faultsOf(name: string, content: string | Uint8Array, deadlineMs?: number): Promise<string[]> {
  const path = file(name, content);
  const error = (await rejection(loadConfig(path, deadlineMs))) as unknown as InvalidInputError;
  expect(error.code).toBe('ERR_INVALID_OPTIONS');
  const short = (text: string) => text.replaceAll(join(path, '..', '/'), '');
  if (error.faults === undefined) return [short(error.message)];
  return error.faults.map(({ where, problem }) => short(`${where}: ${problem}`));
}

describe('a folder', () => {
  test.each(CONFIG_KINDS)('with runtime.config.%s has that one', (kind) => {
    const dir = tempDir();
    writeFileSync(join(dir, `runtime.config.${kind}`), '');
    expect(findConfig(dir)).toBe(join(dir, `runtime.config.${kind}`));
  });

  test('with neither has none; what lies above it, and what is called alike, is not looked at', () => {
    const dir = tempDir();
    for (const name of ['runtime.config', 'runtime.config.toml', 'runtime.yaml']) writeFileSync(join(dir, name), '');
    const below = join(dir, 'below');
    mkdirSync(below);
    expect(findConfig(dir)).toBeUndefined();
    writeFileSync(join(dir, 'runtime.config.json'), '{}');
    expect(findConfig(below)).toBeUndefined();
    expect(findConfig(join(dir, 'gone'))).toBeUndefined();
    expect(findConfig('x'.repeat(5_000))).toBeUndefined();
  });

  test('with two is refused, naming both', () => {
    const dir = tempDir();
    for (const kind of ['json', 'yaml']) writeFileSync(join(dir, `runtime.config.${kind}`), '{}');
    expect(() => findConfig(dir)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTIONS',
        message: expect.stringContaining('runtime.config.json and runtime.config.yaml') as string,
        hint: expect.stringContaining('--config runtime.config.json') as string,
      }),
    );
  });

  test('with one that anybody may write to is refused; one that its group may write to is not', () => {
    const path = file('runtime.config.yaml', 'dir: x\n');
    chmodSync(path, 0o664);
    expect(findConfig(join(path, '..'))).toBe(path);
    chmodSync(path, 0o666);
    expect(() => findConfig(join(path, '..'))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('anybody may write to it (mode 666)') as string,
        hint: expect.stringContaining('chmod o-w runtime.config.yaml') as string,
      }),
    );
  });

  test.runIf(IS_ROOT)('with one of another user is refused, unless that is named', async () => {
    const path = file('runtime.config.mjs', 'export default { run: { threads: 3 } };');
    chownSync(path, 65534, 65534);
    expect(() => findConfig(join(path, '..'))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('it belongs to another user (uid 65534, and this is 0)') as string,
        hint: 'If you trust what it says: --config runtime.config.mjs',
      }),
    );
    expect(await loadConfig(path)).toEqual({ run: { threads: 3 } });
  });

  test('with a link that leads nowhere has a config file, and it is told what is wrong with it', async () => {
    const dir = tempDir();
    symlinkSync('nowhere', join(dir, 'runtime.config.yaml'));
    const path = findConfig(dir)!;
    expect((await rejection(loadConfig(path))).message).toContain('it is a link that leads nowhere');
  });
});

describe('a config file', () => {
  const content: RuntimeConfig = { run: { threads: 3, timeout: '30s', backoff: { max: '5s' } }, dryRun: { rate: 0.5 } };
  const text = JSON.stringify(content);

  test.each([
    ['json', text],
    ['json', `\uFEFF${text}`],
    ['yaml', stringify(content)],
    ['yml', text],
    ['js', `export default ${text};`],
    ['mjs', `export default ${text};`],
    ['cjs', `module.exports = ${text};`],
    // What compilers make of `export default` in CommonJS.
    ['cjs', `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = ${text};`],
  ])('of kind %s says what it says (%.30s)', async (kind, written) => {
    const path = file(`runtime.config.${kind}`, written);
    if (kind === 'js') writeFileSync(join(path, '../package.json'), '{"type":"module"}');
    expect(await loadConfig(path)).toEqual(content);
  });

  test('has its paths from its own folder, and everything else as it is written', async () => {
    const path = file(
      'runtime.config.yaml',
      'dir: state\ndryRun: { events: ./e.mjs, handler: "h.mjs#main", account: ./x }\nsmoke: { handler: /abs/h.mjs }\n',
    );
    const dir = join(path, '..');
    expect(await loadConfig(path)).toEqual({
      dir: join(dir, 'state'),
      dryRun: { events: join(dir, 'e.mjs'), handler: join(dir, 'h.mjs#main'), account: './x' },
      smoke: { handler: '/abs/h.mjs' },
    });
  });

  test('may say where its schema is, and may say nothing', async () => {
    expect(await load('a.json', '{"$schema":"./x.json"}')).toEqual({ $schema: './x.json' });
    expect(await load('a.yaml', '{}')).toEqual({});
  });

  test('with functions hands on the very same', async () => {
    const path = file(
      'runtime.config.mjs',
      `export class Check { name = 'a'; expected = 'b'; secret = 7; check() { return { ok: true, actual: String(this.secret) }; } }
       export const source = () => [1];
       export default { smoke: { eventSource: source, postConditions: [new Check()] } };`,
    );
    const { smoke } = await loadConfig(path);
    expect(smoke!.eventSource!(new AbortController().signal)).toEqual([1]);
    expect(await smoke!.postConditions![0]!.check({} as never)).toEqual({ ok: true, actual: '7' });
  });

  test('prints to standard error: standard output belongs to the command', async () => {
    const heard: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = (chunk: unknown) => heard.push(String(chunk)) > 0;
    onTestFinished(() => void (process.stderr.write = write));
    const before = process.stdout.write;
    await load('a.mjs', 'process.stdout.write("I am loaded"); export default {};');
    expect(heard.join('')).toContain('I am loaded');
    expect(process.stdout.write).toBe(before);
  });
});

describe('what is wrong', () => {
  test('is told all together, each with its place and what was meant', async () => {
    const yaml = `
dirr: state
run:
  threads: x
  timeout: 30
  durable: "yes"
  backoff: { base: 2m, max: 1s }
  thread: 3
dryRun: { rate: -1, pattern: brust, count: 1, duration: 1s }
smoke: { timeout: soon, eventSource: 7, postConditions: [{ name: a, expected: b }] }
`;
    const all = await faultsOf('a.yaml', yaml);
    expect(all.toSorted()).toEqual(
      [
        'dirr: is unknown; did you mean "dir"?',
        'run.threads: must be a whole number from 1 to 1024, got "x"',
        'run.timeout: must be a string with a unit, such as "500ms" or "30s", got 30',
        'run.durable: must be true or false, got "yes"',
        'run.backoff: base (2m) is longer than max (1s)',
        'run.thread: is unknown; did you mean "threads"?',
        'dryRun.rate: must be events a second, from 0.001 to 1,000,000, got -1',
        'dryRun.pattern: must be sequential, random or burst, got "brust"; did you mean "burst"?',
        'dryRun: count and duration: a dry run ends by one of them',
        'smoke.timeout: "soon" is not a duration: write 500ms, 2s, 5m, 1h or 1d',
        'smoke.eventSource: must be a function (signal) => events, got 7',
        'smoke.postConditions.0.check: must be a function, got undefined',
      ].toSorted(),
    );
    const json = JSON.stringify((await import('yaml')).parse(yaml));
    expect(await faultsOf('a.json', json)).toEqual(all);
    expect(await faultsOf('a.mjs', `export default ${json}`)).toEqual(all);
  });

  test.each([
    ['[1]', 'the file: must be an object with dir, run, dryRun, …; got [1]'],
    ['"x"', 'the file: must be an object with dir, run, dryRun, …; got "x"'],
    ['null', 'the file: is empty: give it a key, or remove it'],
    ['{"run":null}', 'run: is empty: give it a key, or remove it'],
    ['{"dryRun":"x"}', 'dryRun: must be an object with pattern, rate, duration, …; got "x"'],
    ['{"smoke":[]}', 'smoke: must be an object with timeout, threads, handler, …; got []'],
    ['{"run":{"backoff":"1s"}}', 'run.backoff: must be an object with base, max, …; got "1s"'],
    ['{"run":{"memory":"1MB"}}', 'run.memory: must be 16MB to 1024GB, got "1MB"'],
    ['{"dir":""}', 'dir: must be the path of a folder'],
    ['{"__proto__":{"dir":"x"}}', '__proto__: is unknown'],
    ['{"constructor":1}', 'constructor: is unknown'],
  ])('in %s is told as %s', async (json, fault) => {
    expect(await faultsOf('a.json', json)).toEqual([fault]);
    const path = join(tempDir(), 'b.mjs');
    writeFileSync(path, `export default JSON.parse(${JSON.stringify(json)});`);
    const error = (await rejection(loadConfig(path))) as unknown as InvalidInputError;
    expect(error.faults.map(({ where, problem }) => `${where}: ${problem}`)).toEqual([fault]);
  });

  test.each([
    ['{\n  "run": {\n    "threads": 1,\n  }\n}', ['a.json:4:3: "}" where a field name in double quotes should be']],
    ['{"run": {"threads": 1}', ['a.json:1:23: it ends where "," or the closing bracket should be']],
    [
      '{"run": {\r\n"threads": 1, "threads": 2},\r\n"run": {}}',
      ['a.json:2:15: the key "threads" is there twice', 'a.json:3:1: the key "run" is there twice'],
    ],
    ['// comment\n{}', ['a.json:1:1: "/" where a value should be']],
    ['{"run":\n{"threads": 1e400}}', ['a.json:2:13: run.threads is 1e400, and would become Infinity']],
    ['['.repeat(5_000), ['a.json:1:65: level 65 of nesting begins here, and 64 are allowed']],
  ])('with the JSON %j is told with file, line and column', async (json, faults) => {
    expect(await faultsOf('a.json', json)).toEqual(faults);
  });

  test.each([
    [
      'run:\n  threads: 1\n  threads: 2\nx: @foo\n',
      [
        'a.yaml:3:3: the key "threads" is there twice',
        'a.yaml:4:4: Plain value cannot start with reserved character @; found "@foo"',
      ],
    ],
    // What follows from a fault at the same place is not told.
    ['run:\n  a: 1\n  b: c: d\n', ['a.yaml:3:6: Nested mappings are not allowed in compact mappings; found "c: d"']],
    ['run:\n\tthreads: 1', ['a.yaml:2:1: Tabs are not allowed as indentation; found "threads: 1"']],
    [
      'run: [1',
      ['a.yaml:1:8: Flow sequence in block collection must be sufficiently indented and end with a ]; found nothing'],
    ],
    ['run: *base', ['a.yaml:1:6: *base has no anchor before it']],
    ['run: !js/function x', ['a.yaml:1:6: Unresolved tag: !js/function; found "!js/function x"']],
    ['dir: a\n---\ndir: b\n', ['a.yaml:2:1: a second document begins here, and there may be one']],
    [
      'run:\n  threads: 1234e5678\n  retries: 9007199254740993\n  maxCrashes: 0x3fffffffffffff\n',
      [
        'a.yaml:2:12: "1234e5678" would become Infinity',
        'a.yaml:3:12: "9007199254740993" would become 9007199254740992',
        'a.yaml:4:15: "0x3fffffffffffff" would become 18014398509481984',
      ],
    ],
    [`run: ${'['.repeat(70)}${']'.repeat(70)}`, ['a.yaml:1:69: level 65 of nesting begins here, and 64 are allowed']],
    ['1: a\n"1": b\n', ['a.yaml:2:1: the key "1" is there twice']],
    ['? [a, b]\n: 1\n', ['a.yaml:1:3: With stringKeys, all keys must be strings; found "[a, b]"']],
  ])('with the YAML %j is told with file, line and column, and what stands there', async (yaml, faults) => {
    expect(await faultsOf('a.yaml', yaml)).toEqual(faults);
  });

  test.each(['run: '.padEnd(300, '['), '- '.repeat(150), `${' '.repeat(300)}run:`])(
    'with YAML that is nested too deep to be parsed is told: %.8s',
    async (yaml) => {
      const path = join(tempDir(), 'a.yaml');
      writeFileSync(path, yaml);
      expect((await rejection(loadConfig(path))).message).toContain(
        'cannot be read: it is nested deeper than 64 levels',
      );
    },
  );

  test('with YAML that would grow without bounds is told', async () => {
    const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(12)}]`);
    expect(await faultsOf('a.yaml', `a0: &a0 [x]\n${levels.join('\n')}\n`)).toEqual([
      expect.stringContaining('Excessive alias count') as string,
    ]);
  });

  const unreadable = (why: string) => [`the config file a.X cannot be read: ${why}`];

  test.each([
    ['json', '', 'it is empty'],
    ['json', ' \n', 'it is empty'],
    ['yaml', '', 'it is empty'],
    ['yaml', '# run:\n', 'nothing but comments is in it'],
    ['yaml', Buffer.from([0x61, 0xff]), 'it is not UTF-8'],
    ['json', ' '.repeat(1_000_001), 'it is larger than 1,000,000 bytes'],
    ['mjs', '', 'it has no default export'],
    ['mjs', 'export const run = {};', 'it has no default export'],
    ['mjs', 'export default () => ({});', 'its default export is a function: export what it returns'],
    ['mjs', 'export default Promise.resolve({});', 'its default export is a promise: write export default await …'],
    ['mjs', '\n  throw new Error("no database");', 'no database (a.mjs:2:9)'],
    ['cjs', 'module.exports = {};\nnothing();', 'ReferenceError: nothing is not defined (a.cjs:2:1)'],
    ['mjs', 'throw "words"', "a value that is not an Error was thrown: 'words'"],
    ['mjs', 'import { x } from "node:fs";', /SyntaxError: .*'node:fs'.* 'x' \(a\.mjs:1\)$/],
    ['mjs', 'export default {,};', /SyntaxError: Unexpected token ',' \(node --check .*a\.mjs shows where\)$/],
    ['mjs', 'import "no-such-package";', /^[^(]*no-such-package[^(]*$/],
    ['cjs', 'require("no-such-package");', /Cannot find module 'no-such-package' \(a\.cjs:1:1\)$/],
    ['toml', '', /its name must end with one of \.ts, .*\.yml$/],
  ])('with a file .%s of %.40j is told in words', async (kind, content, why) => {
    const [told] = await faultsOf(`a.${kind}`, content);
    if (typeof why === 'string') expect([told]).toEqual(unreadable(why).map((line) => line.replace('X', kind)));
    else expect(told).toMatch(why);
  });

  test('in a package that the file calls is told with the line that called it', async () => {
    const path = file('a.mjs', '\nimport { connect } from "database";\nexport default { dir: connect() };\n');
    mkdirSync(join(path, '../node_modules/database'), { recursive: true });
    writeFileSync(
      join(path, '../node_modules/database/index.js'),
      'exports.connect = () => { throw new Error("no database"); };',
    );
    expect((await rejection(loadConfig(path))).message).toMatch(/: no database \(\S*a\.mjs:3:23\)$/);
  });

  test('with a module that waits for what never comes is told at the deadline', async () => {
    expect(await faultsOf('a.mjs', 'await new Promise(() => {}); export default {};', 50)).toEqual([
      'the config file a.mjs cannot be read: it has not loaded within 50ms: what does it wait for?',
    ]);
  });

  test('with what is no file is told', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'a.json'));
    const told = async (name: string) => (await rejection(loadConfig(join(dir, name)))).message;
    expect(await told('a.json')).toContain('it is a folder');
    expect(await told('b.json')).toContain('there is no such file');
    expect(await told('a.json/b.json')).toContain('there is no such file');
    symlinkSync('loop.json', join(dir, 'loop.json'));
    expect(await told('loop.json')).toContain('cannot be read: ELOOP');
    expect((await rejection(loadConfig('/dev/null'))).message).toContain('it is not a plain file');
  });

  test('comes with a hint where every key is to be seen', async () => {
    const error = (await rejection(load('a.json', '{"x":1}'))) as unknown as HoldfastError;
    expect(error.hint).toBe('Every key, and what it takes: runtime config schema');
  });
});

test('whatever a text holds, it is taken or told, and nothing else happens', async () => {
  const path = file('a.yaml', '');
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.json().map((json) => json.slice(0, -1)),
      ),
      fc.constantFrom('json', 'yaml'),
      async (text, kind) => {
        const at = path.replace('yaml', kind);
        writeFileSync(at, text);
        try {
          expect(await loadConfig(at)).toBeTypeOf('object');
        } catch (error) {
          expect((error as HoldfastError).code, String((error as Error).stack)).toBe('ERR_INVALID_OPTIONS');
        }
      },
    ),
    { numRuns: runs(300) },
  );
});

describe('a command', () => {
  const commandWith = (args: string[]) => {
    const command = new Command('run')
      .option('--dir <folder>')
      .option('--config <file>')
      .option('--threads <n>', '', '1')
      .option('--no-durable');
    return command.parse(['--config', file('a.json', '{"run":{"threads":3,"durable":false}}'), ...args], {
      from: 'user',
    });
  };

  test('has what the file says instead of its own defaults, and what is typed instead of both', async () => {
    const command = commandWith([]);
    await takeConfig(command);
    expect(command.opts()).toMatchObject({ threads: 3, durable: false });
    const typed = commandWith(['--threads', '1']);
    await takeConfig(typed);
    expect(typed.opts()).toMatchObject({ threads: '1', durable: false });
  });

  test('that looks for no state, and has no section, has no use for the file', async () => {
    const command = new Command('schema').option('--config <file>').parse(['--config', 'nope'], { from: 'user' });
    await takeConfig(command);
    expect(command.opts()).toEqual({ config: 'nope' });
  });
});

test('defineConfig gives back what it is given', () => {
  const config = { run: { threads: 1 } };
  expect(defineConfig(config)).toBe(config);
  // @ts-expect-error -- a number alone has no unit
  defineConfig({ run: { timeout: 30 } });
  // @ts-expect-error -- an unknown key
  defineConfig({ run: { thread: 3 } });
});
