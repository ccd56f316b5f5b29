// @ts-check
/** What the figures depend on. */
import { closeSync, fsyncSync, openSync, readFileSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';
import { join } from 'node:path';
import { stateFolder } from './state-folder.mjs';
import { percentile } from './statistics.mjs';

const PACKAGES = [
  'piscina',
  'tinypool',
  'workerpool',
  'poolifier',
  'proper-lockfile',
  'better-sqlite3',
  'why-is-node-running',
];

/** Magic numbers of `statfs`, on Linux. */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs: fsync costs nothing'],
]);

export function machine() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    system: `${type()} ${release()}`,
    node: process.version,
    ...disk(),
    loadBefore: loadavg()[0] ?? NaN,
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

function disk() {
  const folder = stateFolder();
  const kind = statfsSync(folder.path).type;
  const fd = openSync(join(folder.path, 'fsync'), 'w');
  const block = Buffer.alloc(4096);
  const durations = Array.from({ length: 50 }, () => {
    const start = performance.now();
    writeSync(fd, block);
    fsyncSync(fd);
    return performance.now() - start;
  });
  closeSync(fd);
  folder.remove();
  return { fileSystem: FILE_SYSTEMS.get(kind) ?? `0x${kind.toString(16)}`, fsyncMs: percentile(durations, 0.5) };
}

function versionOf(/** @type {string} */ name) {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(file, 'utf8'))).version;
}
