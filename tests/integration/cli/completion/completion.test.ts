/** What a shell offers: asked of the command itself, and through each shell that is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StateDir } from '../../../../dist/system/state-dir.js';
import { MAIN, place } from '../../../support/command.js';

/** A folder with a run, and what is offered there. */
function offering() {
  const { dir, runtime, write } = place();
  new StateDir(join(dir, '.runtime')).ensureRunDir('nightly');
  const offered = async (words: string[], env: Record<string, string> = {}) => {
    const { stdout } = await runtime(['complete', '--', ...words], { env });
    const [names, ...lines] = stdout.trimEnd().split('\n');
    return { names, words: lines.map((line) => line.split('\t')[0]!), lines };
  };
  return { dir, runtime, write, offered };
}

test('every command of the help is offered, with what it does, and none that is hidden', async () => {
  const { runtime, offered } = offering();
  const { stdout } = await runtime(['--help']);
  const [, commands] = /\nCommands:\n([^]*?)\n\n/.exec(stdout)!;
  const names = [...commands!.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!);
  const { words, lines } = await offered(['']);
  expect(names.length).toBeGreaterThan(10);
  expect(words).toEqual(names);
  expect(lines[0]).toBe('run\trun a handler of a module over many inputs; the same command goes on where it stopped');
});

test.each<[string[], string, string[]]>([
  [['lock', ''], ':', ['list', 'show', 'release', 'help']],
  [['help', 'stat'], ':', ['status']],
  [['run', '--thr'], ':', ['--threads']],
  // A flag that was given is not offered again, unless it may be.
  [['run', '--threads', '2', '--thr'], ':', []],
  [['run', '--exclude', 'a', '--excl'], ':', ['--exclude']],
  [['dry-run', '--pattern', ''], ':', ['sequential', 'random', 'burst']],
  [['dry-run', '--pattern=b'], ':', ['--pattern=burst']],
  [['results', '--state', 'd'], ':', ['done']],
  [['run', ''], ':file', []],
  [['run', 'work.mjs', ''], ':', []],
  [['run', 'work.mjs', '--results', ''], ':file', []],
  [['run', '--threads', ''], ':', []],
  [['status', '--dir', ''], ':folder', []],
  [['status', ''], ':', ['nightly']],
  [['status', '--json', 'n'], ':', ['nightly']],
  [['rm', 'other', ''], ':', ['nightly']],
  [['run', '--run-id', ''], ':', ['nightly']],
  [['status', '--', '--'], ':', []],
  [['nope', ''], ':', []],
])('%j is completed as it ought to be', async (words, names, expected) => {
  const { offered } = offering();
  expect(await offered(words)).toMatchObject({ names, words: expected });
});

test('runs are those of the folder that the command would take', async () => {
  const { dir, offered, write } = offering();
  for (const [folder, run] of [
    ['typed', 'a'],
    ['from-env', 'b'],
    ['from-file', 'c'],
  ] as const)
    new StateDir(join(dir, folder)).ensureRunDir(run);
  write('runtime.config.yaml', 'dir: from-file\n');
  expect((await offered(['status', ''])).words).toEqual(['c']);
  expect((await offered(['status', ''], { RUNTIME_DIR: 'from-env' })).words).toEqual(['b']);
  expect((await offered(['status', '--dir', 'typed', ''], { RUNTIME_DIR: 'from-env' })).words).toEqual(['a']);
  expect((await offered(['status', '--dir=typed', ''])).words).toEqual(['a']);
});

test('a config file that is a module is not run for a key that is pressed', async () => {
  const { offered, write } = offering();
  write('runtime.config.mjs', 'process.exit(7);');
  expect((await offered(['status', ''])).words).toEqual(['nightly']);
});

test('a shell that is not known is refused, with the one that was meant', async () => {
  const { runtime } = place();
  const { exitCode, stderr } = await runtime(['completion', '/bin/zsh']);
  expect(stderr).toBe('runtime: there is a completion for bash, zsh, fish, not for "/bin/zsh"; did you mean "zsh"?\n');
  expect(exitCode).toBe(64);
});

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** What a shell is given: the command by its name, and what it is to complete. */
function inShell(shell: string, args: string[], line: string) {
  const { dir } = offering();
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  mkdirSync(join(dir, 'photos'));
  symlinkSync(MAIN, join(bin, 'runtime.js'));
  writeFileSync(join(bin, 'runtime'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`);
  chmodSync(join(bin, 'runtime'), 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, RUNTIME_DIR: '', LINE: line };
  return execFileSync(shell, args, { cwd: dir, env, encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** As bash parts a line: at blanks, and at "=". */
const BASH = `source <(runtime completion bash)
read -ra COMP_WORDS <<< "\${LINE//=/ = }"
[[ $LINE == *[\\ =] ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_runtime 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`;

const FISH = 'runtime completion fish | source; complete -C $LINE | string split -f1 \\t; true';

describe.each([
  ['bash', ['-c', BASH]],
  ['fish', ['--no-config', '-c', FISH]],
])('in %s', (shell, args) => {
  test.runIf(has(shell)).each([
    ['runtime sta', ['status']],
    ['runtime results nig', ['nightly']],
    ['runtime dry-run --pattern b', ['burst']],
    ['runtime run wor', ['work.mjs']],
    ['runtime run --fol', ['--follow']],
  ])('%s is completed', (line, expected) => {
    expect(inShell(shell, args, line)).toEqual(expected);
  });

  test.runIf(has(shell))('the value behind an equals sign is completed', () => {
    const [word] = inShell(shell, args, 'runtime results nightly --state=d');
    expect(word).toBe(shell === 'bash' ? 'done' : '--state=done');
  });

  test.runIf(has(shell))('a folder is completed where one is taken', () => {
    expect(inShell(shell, args, 'runtime status --dir ph').map((word) => word.replace(/\/$/, ''))).toEqual(['photos']);
  });
});

test.runIf(has('zsh'))('in zsh words are offered with what they do', () => {
  // What is handed to compsys is printed in its place.
  const script = `compdef() { : }; source <(runtime completion zsh)
_describe() { eval "print -rl -- \\"\\\${(@)$4}\\""; }; _files() { print -r files $1; }; compset() { : }
words=(\${(z)LINE}); CURRENT=$#words; _runtime`;
  expect(inShell('zsh', ['-f', '-c', script], 'runtime sta')).toEqual(['status:show how a run is doing, or all runs']);
  expect(inShell('zsh', ['-f', '-c', script], 'runtime run wor')).toEqual(['files']);
  expect(inShell('zsh', ['-f', '-c', script], 'runtime results nig')).toEqual(['nightly:']);
});
