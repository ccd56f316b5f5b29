import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const HANDLER_FILE = 'work.mjs';
export const CONFIG_FILE = 'runtime.config.yaml';

export const HANDLER_TEXT = `import { readFile } from 'node:fs/promises';

/**
 * Runs once for each task, in a worker thread. With --each the input is the path of a file.
 * It may run again after a crash, so let it do no harm twice. What it returns is recorded.
 *
 * @param {string} path
 * @param {{ signal: AbortSignal }} context the signal is aborted when the task's time is up, or the run is to end
 */
export default async function countLines(path, { signal }) {
  const text = await readFile(path, { encoding: 'utf8', signal });
  return { lines: text.split('\\n').length - 1 };
}
`;

const SCHEMA = 'node_modules/holdfast/config.schema.json';

/** Editors know every key where the package is installed beside it. */
export function configText(root: string): string {
  const comment = existsSync(join(root, SCHEMA)) ? `# yaml-language-server: $schema=./${SCHEMA}\n` : '';
  return `${comment}# Every key, what it takes and its default: runtime config schema
run:
  # For one attempt at a task.
  timeout: 30s
  # Tries after the first one.
  retries: 2
`;
}
