import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutor } from '../../../dist/index.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

test('an interrupted executor has given its tasks back, and still tells what it holds', async () => {
  const dir = tempDir();
  const handlers = join(dir, 'waits.mjs');
  writeFileSync(
    handlers,
    'export default (_, { signal }) => new Promise((_, no) => signal.addEventListener("abort", no));',
  );
  const executor = await createExecutor({ runId: 'r', handlers, dir: join(dir, 'state'), threads: 1 });
  onTestFinished(() => executor.stop());
  await executor.enqueue([{ handler: 'default', input: 1, id: 'x' }]);
  await waitFor('it to run', async () => (await executor.status()).threads[0]?.running.length === 1);
  await (executor as unknown as { interrupt(): Promise<void> }).interrupt();
  expect((await executor.status()).counts).toMatchObject({ queued: 1, running: 0 });
});
