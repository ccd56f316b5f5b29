import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const WRITER_SCRIPT = fileURLToPath(new URL('queue-writer.mjs', import.meta.url));

/** What `queue-writer.mjs` tells. */
export interface Fact {
  opened?: number;
  added?: string[];
  settled?: [ordinal: number, id: string, result: string][];
  counts?: Record<string, number>;
  failed?: string;
  message?: string;
  hint?: string;
}

export interface QueueProcess {
  child: ChildProcess;
  /** All that it has told so far. */
  facts: Fact[];
  exited: Promise<void>;
}

/** Starts `queue-writer.mjs`; `prelude` is put before the command, in bash. */
export function queueProcess(path: string, what: string, prelude = '', options: SpawnOptions = {}): QueueProcess {
  const command = `${prelude} exec "$0" "$@"`;
  const child = spawn('bash', ['-c', command, process.execPath, WRITER_SCRIPT, path, what], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const facts: Fact[] = [];
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    try {
      facts.push(JSON.parse(line) as Fact);
    } catch {
      // The last line, cut by the kill: nobody was told it whole.
    }
  });
  const exited = new Promise<void>((resolve) => lines.once('close', resolve));
  return { child, facts, exited };
}
