import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { HANDLERS } from './executors.js';
import { tempDir } from './temp-dir.js';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

export interface ProgramEnd {
  /** What it printed, each line a value of JSON. */
  said: unknown[];
  stderr: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * Runs a program of its own process to its end. In it are `createExecutor`,
 * `open(options)` with the handlers in `fixtures` and `dir`, and `say(value)`.
 *
 * @param prelude bash, put before it
 */
export async function program(
  text: string,
  { prelude = '', nodeOptions = [], dir = tempDir() }: { prelude?: string; nodeOptions?: string[]; dir?: string } = {},
): Promise<ProgramEnd> {
  const path = join(tempDir(), 'program.mjs');
  writeFileSync(
    path,
    `import { createExecutor } from ${JSON.stringify(join(DIST, 'index.js'))};
     const dir = ${JSON.stringify(dir)};
     const say = (value) => console.log(JSON.stringify(value));
     const open = (options) => createExecutor({ runId: 'run-1', handlers: ${JSON.stringify(HANDLERS)}, dir, threads: 1, ...options });
     ${text}`,
  );
  const child = spawn('bash', ['-c', `${prelude} exec "$0" "$@"`, process.execPath, ...nodeOptions, path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const said = stdout.split('\n').filter(Boolean);
  return { said: said.map((line) => JSON.parse(line) as unknown), stderr, code, signal };
}
