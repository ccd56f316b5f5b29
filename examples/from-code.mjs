// @ts-check
/**
 * An executor in a program of your own: `node examples/from-code.mjs [folder]`.
 *
 * Run it twice: the task with an id is not run again, its outcome is on disk.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createExecutor, ExecutorRunningError, TaskError } from 'holdfast';

const folder = process.argv[2] ?? 'src';

/**
 * With the type of the module, names and inputs of tasks are checked, and results have their type.
 * In TypeScript: `createExecutor<typeof import('./checksum.mjs')>(…)`.
 *
 * @type {import('holdfast').Executor<typeof import('./checksum.mjs')>}
 */
let executor;
try {
  executor = await createExecutor({
    runId: 'from-code',
    handlers: new URL('./checksum.mjs', import.meta.url),
    threads: 2,
    timeout: '30s',
    retries: 1,
  });
} catch (error) {
  if (!(error instanceof ExecutorRunningError)) throw error;
  console.error(error.message);
  process.exit(1);
}

// Node 24 and TypeScript also take `await using executor = await createExecutor(…)` in place of `try … finally`.
try {
  // One task: resolves with what the handler returned, once that is on disk.
  const { sha256, bytes } = await executor.submit('default', 'package.json', { id: 'package.json', priority: 1 });
  console.log(`package.json ${sha256.slice(0, 8)} ${bytes} bytes`);

  // One that fails: the error tells how, and has the handler's own error as its cause.
  try {
    await executor.submit('default', 'no/such/file', { retries: 0 });
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    console.log(`${error.code}: ${error.outcome.error?.code}`);
  }

  // Many: inputs are read as they are needed, outcomes come in the order of the inputs.
  let count = 0;
  let total = 0;
  for await (const { state, result } of executor.map('default', files(folder))) {
    if (state !== 'done' || result === undefined) continue;
    count++;
    total += result.bytes;
  }
  console.log(`${count} files in ${folder}: ${total} bytes`);
} finally {
  await executor.stop();
}

/** @param {string} dir */
function* files(dir) {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }
}
