// @ts-check
/**
 * All that has to hold, one thing after the other; `.ci/run` calls this. The last
 * line is `N passed, N failed`: tests and checks together. Exits with 0 if nothing failed.
 *
 * A test file that fails is run once more, alone. If it passes then, it counts as
 * passed, and is named at the end: a test that fails now and then is a fault of
 * the test or of what it tests, and is to be mended before anything else.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { COVERAGE_LOW } from './coverage-exit.mjs';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * Scripts of package.json that run vitest, each with what a file of it needs to be tried again. An input that a
 * property does not hold for is no bad luck: with other inputs, it would only not be seen.
 *
 * @type {Record<string, Record<string, string> | undefined>}
 */
const SUITES = {
  test: {},
  'test:long': { LONG_TESTS: '1' },
  'test:nodes': { OTHER_NODES: '1' },
  'test:bundled': { BUNDLED: '1' },
  'test:fuzz': undefined,
};
/** Other scripts that take long. */
const TRIALS = ['test:chaos'];

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const checks = Object.keys(scripts).filter((name) => name.startsWith('check:'));
const reports = mkdtempSync(join(tmpdir(), 'holdfast-ci-'));
let passed = 0;
let failed = 0;
/** @type {string[]} */
const flaky = [];
/** @type {string[]} */
const wrong = [];

for (const name of [...checks, ...TRIALS]) judge(name, npm(name) === 0);
for (const [name, env] of Object.entries(SUITES)) suite(name, env);
rmSync(reports, { recursive: true });

for (const name of wrong) console.log(`FAILED: ${name}`);
for (const name of flaky) console.log(`FLAKY, failed and then passed alone, to be mended: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} name @param {boolean} isWell */
function judge(name, isWell) {
  if (isWell) passed++;
  else {
    failed++;
    wrong.push(name);
  }
}

/** @param {string} name @param {Record<string, string> | undefined} env */
function suite(name, env) {
  const counted = name === 'test' ? ['node', 'scripts/coverage.mjs'] : [];
  const command = [...counted, 'npm', 'run', '--silent', name, '--'];
  const { status, report } = vitest(command, `${name.replace(':', '-')}.json`, {});
  if (report === undefined) {
    judge(`${name} did not come to its end`, false);
    return;
  }
  passed += report.numPassedTests;
  const files = report.testResults.filter(
    (file) => file.status === 'failed' || hasDied(file) || hasError(file, report),
  );
  if (name === 'test') files.push(...missing(report));
  for (const file of files) {
    if (env === undefined) fail(file);
    else tryAgain(file, env);
  }
  // What fails no test: coverage below its bar, an error outside of any test.
  if (status & COVERAGE_LOW) judge(`${name}: coverage`, false);
  else if (status !== 0 && files.length === 0)
    judge([name, ...report.errors.map(({ text }) => text)].join(': '), false);
}

/** Whether something was thrown outside of its tests. @param {FileReport} file @param {Report} report */
function hasError({ name }, { errors }) {
  return errors.some(({ file }) => file === name);
}

/** Whether the process of a file died before all of its tests had ended: its report still says "passed". @param {FileReport} file */
function hasDied({ assertionResults }) {
  return assertionResults.some(({ status }) => status === 'pending');
}

/** Files whose process died before it had named its tests are in no report. @param {Report} report @returns {FileReport[]} */
function missing({ testResults }) {
  const told = new Set(testResults.map((file) => file.name));
  return readdirSync(join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(ROOT, 'tests', file))
    .filter((path) => !told.has(path))
    .map((path) => ({ name: path, status: 'failed', assertionResults: [] }));
}

/** @param {FileReport} file @param {Record<string, string>} env */
function tryAgain(file, env) {
  const path = relative(ROOT, file.name);
  console.log(`== ${path} failed: once more, alone`);
  const { status } = vitest(['npx', 'vitest', 'run', path], 'again.json', env);
  if (status !== 0) {
    fail(file);
    return;
  }
  const names = failuresOf(file);
  passed += names.length;
  flaky.push(...names);
}

/** @param {FileReport} file */
function fail(file) {
  for (const name of failuresOf(file)) judge(name, false);
}

/** Tests by their names, or the file where it could not be loaded. @param {FileReport} file */
function failuresOf(file) {
  const path = relative(ROOT, file.name);
  const tests = file.assertionResults.filter(({ status }) => status === 'failed' || status === 'pending');
  const how = hasDied(file) ? ' (its process died)' : '';
  return tests.length === 0 ? [path] : tests.map(({ fullName }) => `${path}: ${fullName}${how}`);
}

/**
 * @typedef {{ name: string, status: string, assertionResults: { status: string, fullName: string }[] }} FileReport
 * @typedef {{ numPassedTests: number, testResults: FileReport[], errors: { file?: string, text: string }[] }} Report
 *
 * @param {string[]} command @param {string} file @param {Record<string, string>} env
 * @returns {{ status: number, report: Report | undefined }}
 */
function vitest(command, file, env) {
  const path = join(reports, file);
  rmSync(path, { force: true });
  const errors = `${path}.errors`;
  const reporters = ['default', 'json', './scripts/errors-reporter.mjs'].map((reporter) => `--reporter=${reporter}`);
  const status = run([...command, ...reporters, `--outputFile.json=${path}`], { ...env, CI_ERRORS_FILE: errors });
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    return { status, report: { ...report, errors: JSON.parse(readFileSync(errors, 'utf8')) } };
  } catch {
    return { status, report: undefined };
  }
}

/** @param {string} name of a script @returns {number} its exit status */
function npm(name) {
  return run(['npm', 'run', '--silent', name], {});
}

/** @param {string[]} command @param {Record<string, string>} env */
function run([program = '', ...args], env) {
  console.log(
    `== ${[program, ...args.filter((arg) => !arg.startsWith('--reporter') && !arg.startsWith('--output'))].join(' ')}`,
  );
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
  return status ?? 1;
}
