// @ts-check
/**
 * Puts the command into few files: `dist/cli/bundled/`, which is what `runtime`
 * of the package starts. The modules of a start cost more than all that it does
 * (docs/benchmarks.md), mostly as ES modules: so these are CommonJS, and what is
 * loaded when it is needed stays a file of its own. All else in `dist` is as it
 * was, and what has no place here is loaded from there.
 */
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const FOLDER = join(DIST, 'cli/bundled');

/** The files that processes and threads begin with, by what they are called in the bundle. */
const ENTRIES = {
  main: 'cli/main.js',
  executor: 'cli/run/executor-process.js',
  keeper: 'runtime/queue/keeper/keeper-process.js',
  thread: 'runtime/thread/start.cjs',
};
const bundledAs = new Map(Object.entries(ENTRIES).map(([name, file]) => [join(DIST, file), `./${name}.cjs`]));

/** What is loaded together at most starts is one file each: a file costs more than the text that is not needed of it. */
const TOGETHER = {
  always: ['cli/main.js'],
  looks: ['cli/runs/status.js', 'cli/runs/probe.js', 'cli/runs/lock.js'],
  records: ['runtime/queue/sqlite/reader.js', 'runtime/queue/sqlite/file/evidence.js'],
};

/** A module of `dist`, and what it imports without being asked. */
function reachedFrom(/** @type {string} */ module, seen = new Set([module])) {
  for (const [, name = ''] of readFileSync(module, 'utf8').matchAll(/^(?:import|export) .*'(\.[^']+)';$/gm)) {
    const next = resolve(dirname(module), name);
    if (seen.size < seen.add(next).size) reachedFrom(next, seen);
  }
  return seen;
}

const groups = Object.entries(TOGETHER).map(([name, files], index) => {
  const modules = new Set(files.flatMap((file) => [...reachedFrom(join(DIST, file))]));
  return { name, priority: 9 - index, test: (/** @type {string} */ id) => modules.has(id) && !bundledAs.has(id) };
});

/** A file that is named from where a module is: it stays there, unless it is in the bundle. */
function placed(/** @type {string} */ module, /** @type {string} */ name) {
  const path = resolve(dirname(module), name);
  const from = bundledAs.get(path) ?? relative(FOLDER, path).replaceAll(sep, '/');
  return `new URL('${from}${name.endsWith('/') || name === '..' ? '/' : ''}', import.meta.url)`;
}

/** commander would start programs for commands that are files of their own: there are none, and to load what starts them takes 3 ms. */
function withoutPrograms(/** @type {string} */ text) {
  return text.replace("require('node:child_process')", 'undefined');
}

/** @type {import('rolldown').Plugin} */
const fitForBundle = {
  name: 'fit-for-bundle',
  load(module) {
    if (!module.startsWith(DIST)) return withoutPrograms(readFileSync(module, 'utf8'));
    const text = readFileSync(module, 'utf8').replaceAll(/new URL\('([^']+)', import\.meta\.url\)/g, (_, name) =>
      placed(module, name),
    );
    if (!bundledAs.has(module) || module.endsWith('.cjs')) return text;
    // CommonJS has no `await` but in functions, and entries await at their top.
    const imports = text.match(/^import .*;$/gm) ?? [];
    const rest = text.replaceAll(/^(import .*;|#!.*)$/gm, '');
    return `${imports.join('\n')}\n(async () => {\n${rest}\n})();\n`;
  },
};

rmSync(FOLDER, { recursive: true, force: true });
// Each by itself: what they share they have twice, and need fewer files.
for (const [name, file] of Object.entries(ENTRIES)) {
  await build({
    input: { [name]: join(DIST, file) },
    platform: 'node',
    preserveEntrySignatures: false,
    // Whoever installs the package has them in the version that fits; of this one, most of the time goes to finding its files.
    external: (name) => !name.startsWith('.') && !isAbsolute(name) && name !== 'commander',
    // That a file is loaded when it is needed in one process, and at once in another.
    checks: { ineffectiveDynamicImport: false },
    plugins: [fitForBundle],
    output: {
      dir: FOLDER,
      format: 'cjs',
      banner: (chunk) => (chunk.name === 'main' && chunk.isEntry ? '#!/usr/bin/env node' : ''),
      entryFileNames: '[name].cjs',
      ...(name === 'main' && { codeSplitting: { groups, includeDependenciesRecursively: false } }),
      chunkFileNames: `${name}-[name]-[hash].cjs`,
    },
  });
}
copyFileSync(
  fileURLToPath(new URL('../node_modules/commander/LICENSE', import.meta.url)),
  join(FOLDER, 'commander.LICENSE'),
);
