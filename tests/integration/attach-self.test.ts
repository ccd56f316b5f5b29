import { join } from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../support/program.js';

const DIST = join(import.meta.dirname, '../../dist');

test('what a worker tells is heard when nothing else runs, never in the middle of it', async () => {
  const { said, stderr, code } = await program(`
    import { Worker } from 'node:worker_threads';
    import { attachToSelf } from ${JSON.stringify(join(DIST, 'debug/inspector/attach-self.js'))};
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker('globalThis.shared = require("node:worker_threads").workerData; setInterval(() => {}, 1000); shared[0] = 1', {
      eval: true,
      workerData: shared,
    });
    while (shared[0] !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const { threads, detach } = await attachToSelf();
    let heard = false;
    threads[1].session.on('Runtime.consoleAPICalled', () => (heard = true));
    await threads[1].session.call('Runtime.enable');
    const asked = threads[1].session.call('Runtime.evaluate', { expression: 'console.log(1); shared[0] = 2' });
    while (shared[0] !== 2);
    // By now it was told, or will be in a moment: long enough for an interrupt.
    for (const until = performance.now() + 200; performance.now() < until; );
    say(heard);
    await asked;
    say(heard);
    await detach();
    process.exit(0);`);
  expect([code, said.filter((value) => typeof value === 'boolean'), stderr]).toEqual([0, [false, true], '']);
});
