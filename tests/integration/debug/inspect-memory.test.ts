/** A look that there is no memory for: the process lives on, and is told as far as that takes none. */
import { expect, test } from 'vitest';
import { Analyst } from '../../../dist/debug/await/analyst.js';
import { attachToSelf } from '../../../dist/debug/inspector/attach-self.js';
import { freeMemory } from '../../../dist/debug/process/free-memory.js';
import { inspectAttached } from '../../../dist/debug/thread-view/inspect-attached.js';
import { MemoryBudget } from '../../../dist/debug/thread-view/memory-need.js';
import { PausePredictor } from '../../../dist/debug/thread-view/predict.js';

test('a heap is left alone where to write it would take more memory than is free', async () => {
  const attached = await attachToSelf();
  const analyst = new Analyst();
  const { threads } = await inspectAttached(attached, {
    all: false,
    maxPauseMs: 600_000,
    analyst,
    predictor: new PausePredictor(),
    memory: new MemoryBudget(() => ({ bytes: 10e6, where: 'in its control group' }), true),
    begin: performance.now(),
    pid: process.pid,
  });
  await Promise.all([attached.detach(), analyst.close()]);
  expect(threads[0]).toMatchObject({ view: 'cheap', awaits: [], pause: { measuredMs: null } });
  expect(threads[0]!.notes[0]).toMatch(
    /^what it awaits is not known: to walk through its heap of [\d.]+MB may take [\d.]+[MG]B of memory, and 9.5MB are free in its control group$/,
  );
});

test('what is free for this process is no more than the machine has', () => {
  const free = freeMemory(process.pid);
  expect(free!.bytes).toBeGreaterThan(0);
  expect(free!.where).toMatch(/^(on this machine|in its control group)$/);
});
