import { basename, extname } from 'node:path';

/** The run id of `runtime run <module>` without `--run-id`: `./jobs/resize.mjs` is run `resize`. */
export function runIdOf(module: string): string {
  const name = basename(module, extname(module));
  return name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128);
}
