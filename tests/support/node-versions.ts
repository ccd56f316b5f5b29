/**
 * Other versions of Node, to try things on: programs that npm holds, as packages.
 * `npm test` tries this very Node alone, `npm run test:nodes` the others.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { ProcessLock } from '../../dist/system/lock/process-lock.js';

/** Newest version of each. */
const MAJORS = [22, 24, 26];

/** Outlives the tests, and goes with `node_modules`. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/holdfast-nodes');

/** As npm's package `node` has them. */
const PLATFORM = process.platform === 'win32' ? 'win' : process.platform;
const PACKAGE = `${PLATFORM === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${PLATFORM}-${process.arch}`;
const PROGRAM = PLATFORM === 'win' ? 'bin/node.exe' : 'bin/node';

/** Three programs of 35 MB, packed. */
const DOWNLOAD_MS = 180_000;

export interface NodeProgram {
  /** As `process.versions.node` has it. */
  version: string;
  /** Of the executable. Start it with `NODE_V8_COVERAGE: ''`: its counts would not match those of this Node. */
  path: string;
}

const WANTS_OTHERS = Boolean(process.env['OTHER_NODES']);

type Found = NodeProgram | { major: number; missing: string };

/** Those that can be had; none without `OTHER_NODES`. */
export async function otherNodes(): Promise<NodeProgram[]> {
  return WANTS_OTHERS ? (await findAll()).filter((found) => 'path' in found) : [];
}

/** The test on this Node, or with `OTHER_NODES` on each of the others. One that cannot be had is skipped, and its title says why. */
export async function onEveryNode(title: string, body: (node: NodeProgram) => Promise<void>): Promise<void> {
  const own: Found[] = [{ version: process.versions.node, path: process.execPath }];
  for (const node of WANTS_OTHERS ? await findAll() : own) {
    if ('path' in node) test(`${title} (Node ${node.version})`, () => body(node));
    else test.skip(`${title} (Node ${node.major}): ${node.missing}`, () => {});
  }
}

/** Node 22, 24 and 26; fetched from npm where the cache has them not. One that cannot be fetched is told with a warning, too. */
async function findAll(): Promise<Found[]> {
  if (!MAJORS.every((major) => existsSync(programOf(major)))) await fetchMissing();
  const found = MAJORS.map(find);
  for (const node of found) if ('missing' in node) console.warn(`NOT TESTED on Node ${node.major}: ${node.missing}`);
  return found;
}

/** What became of the fetching of a version, in this process. */
const failures = new Map<number, string>();

function find(major: number): Found {
  if (!existsSync(programOf(major))) return { major, missing: failures.get(major) ?? 'could not be fetched from npm' };
  const { version } = JSON.parse(readFileSync(join(packageOf(major), 'package.json'), 'utf8')) as { version: string };
  return { version, path: programOf(major) };
}

/** Several test files may ask at the same time: one of them fetches, the others wait for it. */
async function fetchMissing(): Promise<void> {
  const lock = new ProcessLock({ path: join(CACHE, 'lock'), runId: 'nodes' });
  try {
    await lock.acquire({ waitMs: DOWNLOAD_MS });
    await Promise.all(MAJORS.filter((major) => !existsSync(programOf(major))).map(fetch));
  } finally {
    lock.release();
  }
}

async function fetch(major: number): Promise<void> {
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
    const reason = (error as { stderr?: string }).stderr?.match(/^npm (?:error|ERR!) (?!code|syscall|errno)(.+)/m)?.[1];
    failures.set(major, `npm could not fetch ${PACKAGE}@${major}: ${reason ?? (error as Error).message}`);
  }
}

function packageOf(major: number): string {
  return join(CACHE, String(major), 'node_modules', PACKAGE);
}

function programOf(major: number): string {
  return join(packageOf(major), PROGRAM);
}
