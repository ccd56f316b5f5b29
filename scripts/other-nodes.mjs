// @ts-check
/** Other versions of Node, to try things on: programs that npm holds, as packages. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProcessLock } from '../dist/system/lock/process-lock.js';

/** Newest version of each. */
const MAJORS = [22, 24, 26];

/** Outlives the tests, and goes with `node_modules`. */
const CACHE = join(import.meta.dirname, '../node_modules/.cache/holdfast-nodes');

/** As npm's package `node` has them. */
const PLATFORM = process.platform === 'win32' ? 'win' : process.platform;
const PACKAGE = `${PLATFORM === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${PLATFORM}-${process.arch}`;
const PROGRAM = PLATFORM === 'win' ? 'bin/node.exe' : 'bin/node';

/** Three programs of 35 MB, packed. */
const DOWNLOAD_MS = 180_000;

/**
 * @typedef {object} NodeProgram
 * @property {string} version as `process.versions.node` has it
 * @property {string} path of the executable. Start it with `NODE_V8_COVERAGE: ''`: its counts would not match those of
 *   this Node.
 */

/** @typedef {NodeProgram | { major: number, missing: string }} Found */

/** Node 22, 24 and 26; fetched from npm where the cache has them not. One that cannot be fetched is told with a warning, too. @returns {Promise<Found[]>} */
export async function findOtherNodes() {
  if (!MAJORS.every((major) => existsSync(programOf(major)))) await fetchMissing();
  const found = MAJORS.map(find);
  for (const node of found) if ('missing' in node) console.warn(`NOT TESTED on Node ${node.major}: ${node.missing}`);
  return found;
}

/** What became of the fetching of a version, in this process. @type {Map<number, string>} */
const failures = new Map();

/** @param {number} major @returns {Found} */
function find(major) {
  if (!existsSync(programOf(major))) return { major, missing: failures.get(major) ?? 'could not be fetched from npm' };
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(join(packageOf(major), 'package.json'), 'utf8'));
  return { version, path: programOf(major) };
}

/** Several test files may ask at the same time: one of them fetches, the others wait for it. */
async function fetchMissing() {
  const lock = new ProcessLock({ path: join(CACHE, 'lock'), runId: 'nodes' });
  try {
    await lock.acquire({ waitMs: DOWNLOAD_MS });
    await Promise.all(MAJORS.filter((major) => !existsSync(programOf(major))).map(fetch));
  } finally {
    lock.release();
  }
}

/** @param {number} major */
async function fetch(major) {
  const folder = join(CACHE, `fetching-${major}`);
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
    await promisify(execFile)(
      'npm',
      [...args, '--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--prefix', folder, `${PACKAGE}@${major}`],
      { cwd: folder, env: { ...process.env, NODE_V8_COVERAGE: '' }, timeout: DOWNLOAD_MS },
    );
    rmSync(join(CACHE, String(major)), { recursive: true, force: true });
    renameSync(folder, join(CACHE, String(major)));
  } catch (error) {
    const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
    const reason = stderr?.match(/^npm (?:error|ERR!) (?!code|syscall|errno)(.+)/m)?.[1];
    failures.set(major, `npm could not fetch ${PACKAGE}@${major}: ${reason ?? message}`);
  }
}

/** @param {number} major */
function packageOf(major) {
  return join(CACHE, String(major), 'node_modules', PACKAGE);
}

/** @param {number} major */
function programOf(major) {
  return join(packageOf(major), PROGRAM);
}
