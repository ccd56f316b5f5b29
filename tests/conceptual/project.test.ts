import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  version: string;
  scripts: Record<string, string>;
  allowScripts: Record<string, boolean>;
}
interface Lockfile {
  packages: Record<string, { resolved?: string; integrity?: string; hasInstallScript?: boolean }>;
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lockfile = JSON.parse(read('package-lock.json')) as Lockfile;
const runtime = (...args: string[]) =>
  execFileSync(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...args], { encoding: 'utf8' });

describe('the lockfile', () => {
  const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '');

  test('names no host: packages come from whatever registry is configured, and are known by their content', () => {
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  });

  test('holds no install script that package.json does not allow or deny', () => {
    const scripted = packages
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.split('node_modules/').pop()!);
    expect(scripted.toSorted()).toEqual(Object.keys(manifest.allowScripts).toSorted());
  });
});

describe('the package', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(output) as { files: { path: string; size: number }[] }[];
  const files = packed!.files;

  test('holds what is built, the documents, the schema and the examples, and nothing else', () => {
    const tops = [...new Set(files.map(({ path }) => path.split('/')[0]))].toSorted();
    expect(tops).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config.schema.json',
      'dist',
      'docs',
      'examples',
      'man',
      'package.json',
    ]);
    const stray = files.filter(
      ({ path }) => path.startsWith('dist/') && !/\.(c?js|d\.c?ts)(\.map)?$|commander\.LICENSE$/.test(path),
    );
    expect(stray).toEqual([]);
  });

  test('holds no file of more than 100 kB, but for a process of the command in one', () => {
    const large = files.filter(({ size }) => size > 100_000);
    expect(large.filter(({ path, size }) => !path.startsWith('dist/cli/bundled/') || size > 400_000)).toEqual([]);
  });
});

describe('the sources', () => {
  const lines = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(ROOT, 'src', file)).isFile())
    .map((file) => ({ file, lines: read(join('src', file)).split('\n').length }))
    .toSorted((a, b) => a.lines - b.lines);

  test('are small files with one job: none above 500 lines, the middle one below 200', () => {
    expect(lines.at(-1)!.lines, lines.at(-1)!.file).toBeLessThan(500);
    expect(lines[lines.length >> 1]!.lines).toBeLessThan(200);
  });
});

describe('the command', () => {
  test('has the version of the package', () => {
    expect(runtime('--version').trim()).toBe(manifest.version);
  });

  test.each([
    [
      'run',
      '--each --tasks --lines --handler --run-id --threads --concurrency --timeout --retries --memory --max-crashes',
    ],
    ['run', '--config --durable --supervise'],
    ['status', '--config'],
    ['config', 'check schema'],
    ['run', '--results --fresh --retry-failed --no-durable --no-supervise --dir --json --quiet --no-color'],
    ['dry-run', '--pattern --rate --duration --count --seed --burst-size --events --account --wall-clock --emit'],
    ['dry-run', '--handler --threads --concurrency --no-durable --run-id --dir --config --json --quiet --no-color'],
    ['results', '--state --dir'],
    ['smoke', '--timeout --threads --json --junit --config --no-color'],
    ['run', '--http --grace --stall-after --fail-on-leak'],
    ['status', '--probe --json --no-color --dir'],
    ['inspect', '--json --watch --all --max-pause --no-color --dir --config'],
    ['lock', 'list show release'],
    ['pause', '--dir'],
    ['resume', '--dir'],
    ['drain', '--dir'],
  ])('explains in `runtime %s --help`: %s', (command, words) => {
    const help = runtime(command, '--help');
    for (const word of words.split(' ')) expect(help).toMatch(new RegExp(`^ +${word}[ ,].*\\S`, 'm'));
  });

  test('shows in its help every command there is', () => {
    const help = runtime('--help');
    for (const command of [
      'run',
      'dry-run',
      'results',
      'status',
      'inspect',
      'lock',
      'pause',
      'resume',
      'drain',
      'config',
    ]) {
      expect(help).toMatch(new RegExp(`^ +${command} `, 'm'));
    }
  });
});

describe('the documents', () => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`),
  ];

  test('link to files that are there', () => {
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !target.includes('://') && !exists(join(ROOT, document, '..', target)))
        .map((target) => `${document}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('speak of no script that package.json does not have', () => {
    const unknown = documents.flatMap((document) =>
      [...read(document).matchAll(/npm run ([a-z:]+)/g)]
        .map(([, script]) => script!)
        .filter((script) => !(script in manifest.scripts))
        .map((script) => `${document}: npm run ${script}`),
    );
    expect(unknown).toEqual([]);
  });
});

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
