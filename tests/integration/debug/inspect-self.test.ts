import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { Inspection } from '../../../dist/debug/inspection.js';
import { outlineOf } from '../../support/outline.js';
import { program } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';

const SELF = pathToFileURL(join(import.meta.dirname, '../../../dist/debug/inspect-self.js')).href;

const PRELUDE = `
  import { Worker } from 'node:worker_threads';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { once } from 'node:events';
  const { inspectSelf } = await import(${JSON.stringify(SELF)});
`;

test('a process sees what its threads await, and that somebody looks; nothing of the look is shown, or left', async () => {
  const { said, code } = await program(`${PRELUDE}
    const worker = new Worker(\`
      const { setTimeout: sleep } = require('timers/promises');
      async function waits() { await sleep(1_000_000); }
      waits();
      require('worker_threads').parentPort.postMessage('ready');
    \`, { eval: true, name: 'other' });
    await once(worker, 'message');
    async function caller() { return await inspectSelf(); }
    const before = process.getActiveResourcesInfo().toSorted();
    let look = await caller();
    // On a busy machine, the other one may not have come to rest yet.
    for (let again = 0; again < 20 && look.threads[1].state === 'running'; again++) look = await caller();
    say(look);
    say([before, process.getActiveResourcesInfo().toSorted()]);
    say((await inspectSelf({ threads: [worker.threadId] })).threads.map(({ name }) => name));
    await worker.terminate();
  `);
  expect(code).toBe(0);
  const [inspection, [before, after], only] = said as [Inspection, [string[], string[]], string[]];
  expect(inspection.threads.map(({ name, state }) => [name, state])).toEqual([
    ['main', 'waiting'],
    ['other', 'waiting'],
  ]);
  const [main, other] = inspection.threads.map(outlineOf);
  expect(main!.map((line) => line.replace(/program\.mjs:\S+/, 'program.mjs'))).toEqual([
    '(module) program.mjs',
    '  caller program.mjs',
    '    this very look',
  ]);
  expect(other).toEqual([expect.stringMatching(/^waits \[worker eval\]:3:/), '  timer, due in …']);
  expect(after).toEqual(before);
  expect(only).toEqual(['other']);
});

test('what a process that was killed has left of its heap is removed by the next one that looks', async () => {
  const tmp = tempDir();
  const dead = spawn('true');
  await once(dead, 'exit');
  mkdirSync(join(tmp, `holdfast-self-${dead.pid}-x`));
  mkdirSync(join(tmp, `holdfast-self-${process.pid}-x`));
  mkdirSync(join(tmp, 'holdfast-selfish'));
  const { code } = await program(`${PRELUDE} await inspectSelf();`, { prelude: `TMPDIR=${tmp}` });
  expect(code).toBe(0);
  expect(readdirSync(tmp).toSorted()).toEqual([`holdfast-self-${process.pid}-x`, 'holdfast-selfish']);
});
