import { existsSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ExecutorRunningError } from '../../../../dist/system/lock/executor-running-error.js';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { lockPath } from '../../../support/lock-place.js';
import { runs } from '../../../support/runs.js';

/**
 * Several locks on one path. Each opens the file for itself, so to the kernel
 * they are as strange to each other as processes are. The model knows only
 * files by number: which of them the path leads to, and who holds which.
 */
class Model {
  #files = 0;
  inPlace: { file: number; details: string | undefined } | undefined;
  readonly holds = new Map<number, number>();
  readonly losses: string[] = [];

  put(details: string | undefined): number {
    this.inPlace = { file: ++this.#files, details };
    return this.#files;
  }
  get holder(): number | undefined {
    for (const [lock, file] of this.holds) if (file === this.inPlace?.file) return lock;
    return undefined;
  }
}

interface Real {
  path: string;
  locks: ProcessLock[];
  losses: string[];
}

const runIdOf = (index: number) => `run-${index}`;

function agree(model: Model, real: Real): void {
  expect(existsSync(real.path)).toBe(model.inPlace !== undefined);
  expect(real.locks.map((lock) => lock.held)).toEqual(real.locks.map((_, index) => model.holds.has(index)));
  expect(real.locks[0]!.isLocked()).toBe(model.holder !== undefined);
  expect(real.locks[0]!.holder()?.runId).toBe(model.inPlace?.details);
  expect(real.losses).toEqual(model.losses);
}

function command(name: string, run: (model: Model, real: Real) => void): fc.Command<Model, Real> {
  return {
    check: () => true,
    run: (model, real) => {
      run(model, real);
      agree(model, real);
    },
    toString: () => name,
  };
}

const tryAcquire = (index: number) =>
  command(`tryAcquire ${index}`, (model, real) => {
    const free = !model.holds.has(index) && model.holder === undefined;
    expect(real.locks[index]!.tryAcquire()).toBe(free);
    if (!free) return;
    const file = model.inPlace?.file ?? model.put(undefined);
    model.holds.set(index, file);
    model.inPlace!.details = runIdOf(index);
  });

const release = (index: number) =>
  command(`release ${index}`, (model, real) => {
    real.locks[index]!.release();
    if (model.inPlace && model.holds.get(index) === model.inPlace.file) model.inPlace = undefined;
    model.holds.delete(index);
  });

const forceUnlock = (index: number) =>
  command(`forceUnlock ${index}`, (model, real) => {
    if (model.holder !== undefined) {
      expect(() => real.locks[index]!.forceUnlock()).toThrow(ExecutorRunningError);
      return;
    }
    expect(real.locks[index]!.forceUnlock()).toBe(model.inPlace !== undefined);
    model.inPlace = undefined;
  });

const deleteFile = command('delete', (model, real) => {
  if (model.inPlace) unlinkSync(real.path);
  model.inPlace = undefined;
});

const leaveFile = command('a dead holder leaves a file', (model, real) => {
  if (model.inPlace) unlinkSync(real.path);
  mkdirSync(dirname(real.path), { recursive: true });
  writeFileSync(real.path, `${JSON.stringify({ pid: 1, hostname: 'gone', runId: 'dead' })}\n`);
  model.put('dead');
});

const lookAround = command('half a second passes', (model) => {
  vi.advanceTimersByTime(500);
  for (const [index, file] of model.holds) {
    if (file === model.inPlace?.file) continue;
    model.holds.delete(index);
    model.losses.push(`${index} ${model.inPlace ? 'replaced' : 'deleted'}`);
  }
  // Locks look around in the order in which they were acquired, as Map keeps it.
});

test('whatever happens in whatever order: one holder, nobody robbed, every loss told once', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const path = lockPath();
  const index = fc.nat({ max: 2 });
  const commands = fc.commands(
    [
      index.map(tryAcquire),
      index.map(tryAcquire),
      index.map(release),
      index.map(forceUnlock),
      fc.constant(deleteFile),
      fc.constant(leaveFile),
      fc.constant(lookAround),
    ],
    { maxCommands: 30 },
  );
  fc.assert(
    fc.property(commands, (commands) => {
      const losses: string[] = [];
      const locks = [0, 1, 2].map((index) => {
        const lock = new ProcessLock({ path, runId: runIdOf(index) });
        lock.on('lost', ({ reason }) => losses.push(`${index} ${reason}`));
        return lock;
      });
      try {
        fc.modelRun(() => ({ model: new Model(), real: { path, locks, losses } }), commands);
      } finally {
        locks.forEach((lock) => lock.release());
        rmSync(path, { force: true });
      }
    }),
    { numRuns: runs(300) },
  );
});
