import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lastDeath } from '../../../dist/runtime/last-death.js';
import { BOOT_ID } from '../../../dist/system/lock/holder.js';
import { ProcessLock } from '../../../dist/system/lock/process-lock.js';
import { tempDir } from '../../support/temp-dir.ts';

const COMMAND = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

describe('without a supervisor', () => {
  const place = (handler: string) => {
    const dir = tempDir();
    writeFileSync(join(dir, 'work.mjs'), handler);
    const runtime = (args: string[], killAfterMs?: number) =>
      spawnSync(process.execPath, [COMMAND, ...args], {
        cwd: dir,
        input: '1\n2\n3\n',
        encoding: 'utf8',
        env: { ...process.env, RUNTIME_DIR: '' },
        ...(killAfterMs !== undefined && { timeout: killAfterMs, killSignal: 'SIGKILL' }),
      });
    const results = () =>
      runtime(['results', 'work'])
        .stdout.split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    return { dir, runtime, results };
  };
  const run = ['run', 'work.mjs', '--lines', '--no-supervise', '--threads', '1', '--quiet'];

  test('a task that takes its process down at each start is recorded as crashed in the end, the others as done', () => {
    const { runtime, results } = place(
      `export default (line) => { if (line === '2') process.kill(process.pid, 'SIGSEGV'); return line; };`,
    );
    let starts = 0;
    let status: number | null;
    do {
      status = runtime(run).status;
      starts++;
    } while (status !== 3 && starts < 10);
    expect(status).toBe(3);
    const states = Object.fromEntries(results().map(({ input, state }) => [input, state]));
    expect(states).toEqual({ 1: 'done', 2: 'crashed', 3: 'done' });
  });
});

describe('what the last executor left in the lock file', () => {
  const left = (details: Record<string, unknown>) => {
    const path = join(tempDir(), 'run.lock');
    writeFileSync(path, `${JSON.stringify({ schema: 1, runId: 'run', pid: 7, hostname: 'host', ...details })}\n`);
    return lastDeath(new ProcessLock({ path, runId: 'run' }));
  };

  test.runIf(BOOT_ID)('says that it was killed, if the system has been running since', () => {
    expect(left({ bootId: BOOT_ID })).toBe('killed');
    expect(left({ bootId: BOOT_ID, stopping: false })).toBe('killed');
  });

  test('says nothing of who was told to stop, of another start of the system, or of an unknown one', () => {
    expect(left({ bootId: BOOT_ID, stopping: true })).toBe('unseen');
    expect(left({ bootId: 'another' })).toBe('unseen');
    expect(left({})).toBe('unseen');
    expect(lastDeath(new ProcessLock({ path: join(tempDir(), 'none.lock'), runId: 'run' }))).toBe('unseen');
  });
});
