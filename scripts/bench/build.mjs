// @ts-check
/** Which build a process measures: that of this checkout, or the one that `--against` names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** `dist` of this checkout. */
const OWN = fileURLToPath(new URL('../../dist', import.meta.url));

/** Says to a contender's process which `dist` it is to load. */
const VARIABLE = 'BENCH_DIST';

/** @param {string | undefined} dist `undefined`: of this checkout */
export function environmentOf(dist) {
  return dist === undefined ? process.env : { ...process.env, [VARIABLE]: dist };
}

/** The public face of the build that this process measures. @returns {Promise<typeof import('../../dist/index.js')>} */
export async function built() {
  return import(pathToFileURL(join(process.env[VARIABLE] ?? OWN, 'index.js')).href);
}

/** The command of a build, as its users have it. @param {string} [dist] by default of this checkout */
export function commandOf(dist = OWN) {
  const bundled = join(dist, 'cli/bundled/main.cjs');
  return existsSync(bundled) ? bundled : join(dist, 'cli/main.js');
}

/** Under which name the other build runs in the same race. @param {string} contender */
export function before(contender) {
  return `${contender}, before`;
}
