/**
 * Runs a command and holds the coverage of `src` against the bars below:
 *
 *   node scripts/coverage.mjs npm test
 *
 * Node itself counts, in every process and worker thread that the command
 * starts (`NODE_V8_COVERAGE`): most of what is tested here runs in them. The
 * counts are those of `dist`; they are mapped to `src` by syntax tree, so that
 * only what can run counts as a line, not comments and types, and each `?.`,
 * `??` and missing `else` counts as a branch. A file that nothing loaded
 * counts as not covered.
 *
 * A process that is killed by SIGKILL or aborts leaves no counts behind.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mergeProcessCovs } from '@bcoe/v8-coverage';
import { parse } from 'acorn';
import { convert } from 'ast-v8-to-istanbul';
import coverage from 'istanbul-lib-coverage';
import report from 'istanbul-lib-report';
import reports from 'istanbul-reports';
import { COVERAGE_LOW } from './coverage-exit.mjs';

/** In percent. */
const BARS = { lines: 95, branches: 90 };

/** Reports are merged this many at a time: together they would take gigabytes. */
const CHUNK = 50;

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const reportDir = join(root, 'coverage');
const rawDir = join(reportDir, 'raw');

/** Characters of each script, by its URL. */
const lengths = new Map();

rmSync(reportDir, { recursive: true, force: true });
const status = run(process.argv.slice(2));
const map = await sourceCoverage(mergedScripts());
rmSync(rawDir, { recursive: true });
print(map);
process.exitCode = status | check(map);

/** @returns the exit status of the command */
function run([command, ...args]) {
  // Counted is what the modules ran: a bundle of them would be one more text.
  const env = { ...process.env, NODE_V8_COVERAGE: rawDir, BUNDLED: '' };
  env.PATH = `${join(root, 'node_modules/.bin')}:${env.PATH}`;
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error) throw error;
  return status ?? 1;
}

/** The counts of all processes and threads together, by the URL of the script in `dist`. */
function mergedScripts() {
  const ours = pathToFileURL(dist).href + '/';
  let merged = { result: [] };
  let chunk = [];
  const mergeChunk = () => {
    merged = mergeProcessCovs([merged, ...chunk]);
    chunk = [];
  };
  for (const name of readdirSync(rawDir)) {
    const result = parseReport(join(rawDir, name)).result.filter(
      (script) => script.url.startsWith(ours) && isAsBuilt(script),
    );
    if (result.length > 0) chunk.push({ result });
    if (chunk.length === CHUNK) mergeChunk();
  }
  mergeChunk();
  return new Map(merged.result.map((script) => [script.url, script]));
}

/** Not what tsx made of it, where CommonJS asked for it: its offsets are others, and would spoil all counts. */
function isAsBuilt({ url, functions }) {
  let length = lengths.get(url);
  if (length === undefined) lengths.set(url, (length = readFileSync(fileURLToPath(url), 'utf8').length));
  return functions[0].ranges[0].endOffset === length;
}

/** A process that is killed while it writes its counts leaves half a file. */
function parseReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { result: [] };
  }
}

async function sourceCoverage(scripts) {
  const map = coverage.createCoverageMap({});
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!file.endsWith('.js')) continue;
    const path = join(dist, file);
    const url = pathToFileURL(path).href;
    const code = readFileSync(path, 'utf8');
    const neverLoaded = {
      functionName: '',
      isBlockCoverage: true,
      ranges: [{ startOffset: 0, endOffset: code.length, count: 0 }],
    };
    const data = await convert({
      ast: parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true }),
      code,
      sourceMap: JSON.parse(readFileSync(`${path}.map`, 'utf8')),
      coverage: scripts.get(url) ?? { scriptId: '0', url, functions: [neverLoaded] },
    });
    map.merge(data);
  }
  return map;
}

function print(map) {
  const context = report.createContext({ dir: reportDir, coverageMap: map });
  reports.create('text', { skipFull: true, maxCols: process.stdout.columns ?? 100 }).execute(context);
  reports.create('lcovonly').execute(context);
}

/** @returns what it adds to the exit status */
function check(map) {
  const summary = map.getCoverageSummary();
  const low = Object.entries(BARS).filter(([what, bar]) => !(summary[what].pct >= bar));
  for (const [what, bar] of low)
    console.error(`coverage: ${summary[what].pct}% of ${what} are covered, ${bar}% must be`);
  return low.length > 0 ? COVERAGE_LOW : 0;
}
