import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLine, LINE_BYTES } from '../../../scripts/chaos/evidence.mjs';
import { planKills, planStarts, planTasks } from '../../../scripts/chaos/plan.mjs';

const seeds = fc.integer({ min: 0, max: 999_999_999 });

test('a seed repeats its kills and its tasks', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(planKills(seed, 50)).toEqual(planKills(seed, 50));
      expect(planTasks(seed, 50)).toEqual(planTasks(seed, 50));
    }),
  );
});

test('two seeds have different kills and different tasks', () => {
  expect(planKills(1, 50)).not.toEqual(planKills(2, 50));
  expect(planTasks(1, 50)).not.toEqual(planTasks(2, 50));
});

test('as many kills as asked for, each at or after the progress of the one before, spread over the run', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 300 }), (seed, count) => {
      const kills = planKills(seed, count);
      expect(kills).toHaveLength(count);
      const progress = kills.flatMap((kill) => kill.progress ?? []);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(kills[0]!.progress).toBeDefined();
    }),
  );
  const moments = planKills(1, 200).flatMap(({ progress }) => progress ?? []);
  for (const quarter of [0, 1, 2, 3]) {
    const inIt = moments.filter((progress) => Math.floor(progress * 4) === quarter);
    expect(inIt.length).toBeGreaterThan(moments.length / 8);
  }
});

test('every kind of kill comes, by its progress and close after another', () => {
  const kills = planKills(1, 200);
  for (const follows of [true, false]) {
    const victims = kills.filter(({ progress }) => (progress === undefined) === follows).map(({ victim }) => victim);
    expect([...new Set(victims)].toSorted()).toEqual(['both', 'executor', 'keeper']);
  }
});

test('some kills begin with a stop: only that, one that ends in a kill, and one with a kill of the other', () => {
  const kills = planKills(1, 200);
  const stops = kills.filter(({ how }) => how !== 'kill');
  expect(new Set(stops.map(({ how }) => how)).size).toBe(3);
  expect(stops.length).toBeLessThan(kills.length / 10);
  for (const { how, stopMs } of kills) expect(stopMs > 0).toBe(how !== 'kill');
  for (const { how, victim } of stops) if (how === 'stop, and kill the other') expect(victim).not.toBe('both');
});

test('most starts have a supervisor, some have none; a seed repeats which', () => {
  const starts = (seed: number) => Array.from({ length: 200 }, planStarts(seed));
  expect(starts(1)).toEqual(starts(1));
  const supervised = starts(1).filter(Boolean).length;
  expect(supervised).toBeGreaterThan(100);
  expect(supervised).toBeLessThan(190);
});

test('some tasks copy the state folder, most do not', () => {
  const copies = planTasks(1, 5000).filter(({ handler }) => handler === 'copy').length;
  expect(copies).toBeGreaterThan(5);
  expect(copies).toBeLessThan(50);
});

test('a line of evidence never crosses the border of a page, however long its numbers are', () => {
  const long = { kind: 'start', task: 'task-19999999', attempt: 99, pid: 4_194_304, token: 99_999 } as const;
  const line = formatLine({ ...long, thread: 9999, at: 9_999_999_999_999 });
  expect(line).toHaveLength(LINE_BYTES);
  expect(4096 % LINE_BYTES).toBe(0);
});
