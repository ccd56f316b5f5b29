import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AbortReason, clock, followClock, now, ThreadBoard, wallTime } from '../../../../dist/runtime/thread/board.js';
import { waitFor } from '../../../support/wait-for.js';

const BOARD = new URL('../../../../dist/runtime/thread/board.js', import.meta.url).href;

/** The same board, as the two threads that share it see it. */
function both(lanes = 1): { main: ThreadBoard; thread: ThreadBoard } {
  const memory = ThreadBoard.allocate(lanes);
  return { main: new ThreadBoard(memory), thread: new ThreadBoard(memory) };
}

test('each task of a batch is taken up by the thread or taken back by the main thread, never both, never neither', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.constantFrom('take', 'rest'), { maxLength: 40 }),
      (size, steps) => {
        const { main, thread } = both();
        main.reset(0);
        const taken: number[] = [];
        const back: number[] = [];
        let left = size;
        for (const step of [...steps, 'rest']) {
          if (step === 'take') {
            const position = thread.take(0, size);
            if (position !== undefined) taken.push(position);
          } else {
            const first = main.takeRest(0, left);
            for (let position = first; position < left; position++) back.push(position);
            left = first;
          }
        }
        expect(thread.take(0, size)).toBeUndefined();
        expect(taken.concat(back)).toEqual(Array.from({ length: size }, (_, position) => position));
      },
    ),
  );
});

test('so it is when the two really race', async () => {
  const rounds = 100;
  // Some milliseconds of work: fewer are all taken before a busy machine has woken the main thread.
  const size = 200_000;
  const memory = ThreadBoard.allocate(1);
  const main = new ThreadBoard(memory);
  const gate = new Int32Array(new SharedArrayBuffer(12));
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     import(workerData.board).then(({ ThreadBoard }) => {
       const board = new ThreadBoard(workerData.memory);
       const gate = workerData.gate;
       for (let round = 1; round <= ${rounds}; round++) {
         Atomics.wait(gate, 0, round - 1);
         let last = -1;
         Atomics.store(gate, 2, round);
         for (let position; (position = board.take(0, ${size})) !== undefined; ) last = position;
         Atomics.store(gate, 1, last + 1);
         parentPort.postMessage(round);
       }
     });`,
    { eval: true, workerData: { memory, gate, board: BOARD } },
  );
  const done: number[] = [];
  worker.on('message', (round: number) => done.push(round));
  let cutShort = 0;
  for (let round = 1; round <= rounds; round++) {
    main.reset(0);
    Atomics.store(gate, 0, round);
    Atomics.notify(gate, 0);
    // Until it is at it: how long a thread takes to wake up depends on what else the machine does.
    while (Atomics.load(gate, 2) < round) await new Promise((resolve) => setImmediate(resolve));
    for (let spin = 0; spin < (round % 40) * 50; spin++) Atomics.load(gate, 1);
    const first = main.takeRest(0, size);
    await waitFor('the round to end', () => done.length === round);
    expect(Atomics.load(gate, 1)).toBe(first);
    if (first > 0 && first < size) cutShort++;
  }
  // Else the two never met.
  expect(cutShort).toBeGreaterThan(0);
  await worker.terminate();
}, 60_000);

test('the running task is seen with its start, in its lane alone, until it ends', () => {
  const { main, thread } = both(3);
  expect(main.lanes).toBe(3);
  expect(main.running(1)).toBeUndefined();
  const since = thread.begin(1, 0);
  expect(main.running(1)).toEqual({ position: 0, since });
  expect([main.running(0), main.running(2)]).toEqual([undefined, undefined]);
  const next = thread.begin(1, 7);
  expect(main.running(1)).toEqual({ position: 7, since: next });
  thread.end(1);
  expect(main.running(1)).toBeUndefined();
});

test('an abort reaches the task that it names, with its reason, and no other', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.nat({ max: 1_000_000 }),
      fc.constantFrom(...Object.values(AbortReason)),
      (position, other, reason) => {
        const { main, thread } = both(2);
        main.requestAbort(1, position, reason);
        expect(thread.abortRequest(1, position)).toBe(reason);
        expect(thread.abortRequest(0, position)).toBeUndefined();
        if (other !== position) expect(thread.abortRequest(1, other)).toBeUndefined();
        main.reset(1);
        expect(thread.abortRequest(1, position)).toBeUndefined();
      },
    ),
  );
});

test('an abort that is held counts, and is not delivered before it is asked for without that', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.constantFrom(...Object.values(AbortReason)),
      fc.constantFrom(...Object.values(AbortReason)),
      (position, reason, next) => {
        const { main, thread } = both();
        main.requestAbort(0, position, reason, true);
        expect(thread.abortRequest(0, position)).toBe(reason);
        expect(thread.abortToDeliver(0, position)).toBeUndefined();
        main.requestAbort(0, position, next);
        expect(thread.abortRequest(0, position)).toBe(next);
        expect(thread.abortToDeliver(0, position)).toBe(next);
        expect(thread.abortToDeliver(0, position + 1)).toBeUndefined();
      },
    ),
  );
});

test('a beat is seen, and none is before the first', () => {
  const { main, thread } = both();
  expect(main.lastBeat).toBe(0);
  const before = now();
  thread.beat();
  expect(main.lastBeat).toBeGreaterThanOrEqual(before);
  expect(main.lastBeat).toBeLessThanOrEqual(now());
});

test('a thread that follows the clock agrees with it, though the clock of the system has jumped in between', async () => {
  const seen = new Float64Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads');
     // As if the machine had slept for an hour before this thread was made.
     Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + 3_600_000 });
     import(workerData.board).then(({ followClock, now, ThreadBoard }) => {
       if (!(now() - workerData.before > 3_000_000)) throw new Error('the clock was to jump');
       followClock(workerData.clock);
       workerData.seen[0] = now();
     });`,
    { eval: true, workerData: { board: BOARD, clock: clock(), before: now(), seen } },
  );
  const before = now();
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  expect(seen[0]).toBeGreaterThan(before - 0.1);
  expect(seen[0]).toBeLessThan(now() + 0.1);
});

test('following its own clock changes nothing; an instant is shown as the system would have it', () => {
  const before = now();
  followClock(clock());
  expect(now() - before).toBeGreaterThanOrEqual(0);
  expect(now() - before).toBeLessThan(60_000);
  const { now: real } = Date;
  try {
    Date.now = () => real() + 3_600_000;
    expect(wallTime(before) - before).toBeGreaterThan(3_590_000);
  } finally {
    Date.now = real;
  }
});

test('and so exactly, though that clock is read in whole milliseconds', () => {
  const { now: real } = Date;
  try {
    for (const ahead of [7_200_000.75, 3_600_000.25]) {
      Date.now = () => Math.floor(now() + ahead);
      // Long enough to have read it next to where a millisecond begins.
      for (let looks = 0; looks < 100_000; looks++) wallTime(0);
      expect(wallTime(1000)).toBeCloseTo(1000 + ahead, 1);
    }
  } finally {
    Date.now = real;
  }
});
