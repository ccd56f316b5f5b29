import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CreationLog } from '../../../../dist/debug/hooks/creation-log.js';
import type { HooksSnapshot } from '../../../../dist/debug/inspection.js';
import { CreationSites, MAX_SITES, NO_SITE } from '../../../../dist/debug/hooks/creation-sites.js';
import { creationStack } from '../../../../dist/debug/hooks/creation-stack.js';
import { LiveRecords } from '../../../../dist/debug/hooks/live-records.js';
import { renderHooks } from '../../../../dist/debug/hooks/render-hooks.js';
import { StackSampler } from '../../../../dist/debug/hooks/stack-sampler.js';
import { runs } from '../../../support/runs.js';

/** As a resource of Node is: it tells its id until it has ended. */
class Resource {
  ended = false;
  readonly #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  getAsyncId() {
    return this.ended ? -1 : this.#id;
  }
}

describe('what lives', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('promises' as const), count: fc.integer({ min: 1, max: 5000 }) }),
    fc.record({ kind: fc.constant('resources' as const), count: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ kind: fc.constant('end' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant('look' as const) }),
  );

  test('each record is alive, has ended or was dropped, whatever happens in which order: none is lost, none counted twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 200 }), (steps, room) => {
        const gone: number[] = [];
        // The site of a record is its id, so each that leaves is known.
        const records = new LiveRecords((site) => gone.push(site), room);
        const alive = new Map<number, object>();
        const ended = new Set<number>();
        let id = 0;
        for (const step of steps) {
          if (step.kind === 'promises' || step.kind === 'resources') {
            for (let i = 0; i < step.count; i++) {
              const resource = step.kind === 'promises' ? Promise.resolve() : new Resource(++id);
              if (resource instanceof Resource) records.addOther(id, 'R', resource, id * 10, id);
              else records.addPromise(++id, resource, id * 10, id);
              alive.set(id, resource);
            }
          } else if (step.kind === 'end') {
            for (const [id, resource] of [...alive].slice(0, Math.floor(step.share * alive.size))) {
              alive.delete(id);
              ended.add(id);
              if (resource instanceof Resource) resource.ended = true;
              else records.end(id);
            }
          } else records.live();
        }
        const live = records.live();
        expect(records.recorded).toBe(id);
        // Nothing that lives has ended, each has its own time and type, and they are few.
        expect(live.length).toBeLessThanOrEqual(room);
        for (const { site, createdAt, type } of live) {
          expect(alive.has(site)).toBe(true);
          expect(createdAt).toBe(site * 10);
          expect(type).toBe(alive.get(site) instanceof Resource ? 'R' : 'PROMISE');
        }
        expect(new Set(gone).size).toBe(gone.length);
        expect(gone.length + live.length).toBe(id);
        const droppedAlive = alive.size - live.length;
        expect(records.dropped).toBeGreaterThanOrEqual(droppedAlive);
        expect(records.dropped).toBeLessThanOrEqual(droppedAlive + ended.size);
        if (id <= room) expect(records.dropped).toBe(0);
      }),
      { numRuns: runs(60) },
    );
  });

  test('where all live, what does not fit is counted to the last one, and the oldest are kept', () => {
    const records = new LiveRecords(() => {}, 10);
    const all = Array.from({ length: 35 }, (_, index) => new Resource(index + 1));
    all.forEach((resource, index) => records.addOther(index + 1, 'R', resource, 0, index + 1));
    expect(records.dropped).toBe(25);
    expect(records.live().map(({ site }) => site)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('what has ended makes room, at the latest after a tenth of the room was dropped', () => {
    const records = new LiveRecords(() => {}, 100);
    const all: Resource[] = [];
    const add = () => records.addOther(all.length + 1, 'R', all[all.push(new Resource(all.length + 1)) - 1]!, 0, 0);
    for (let i = 0; i < 101; i++) add();
    expect(records.dropped).toBe(1);
    for (const resource of all) resource.ended = true;
    for (let i = 0; i < 110; i++) add();
    expect(records.dropped).toBe(11);
    expect(records.live()).toHaveLength(100);
  });

  test('timers and strangers are known as they are: a cleared timer has ended, an object that throws lives', () => {
    const records = new LiveRecords(() => {});
    const resources = [
      { _destroyed: true },
      { _destroyed: false },
      {},
      {
        getAsyncId() {
          throw new Error('not for you');
        },
      },
    ];
    resources.forEach((resource, index) => records.addOther(index + 1, 'R', resource, 0, index + 1));
    expect(records.live().map(({ site }) => site)).toEqual([2, 3, 4]);
  });
});

describe('when a stack is taken', () => {
  function randomOf(seed: number): () => number {
    let state = seed;
    return () => ((state = (Math.imul(state, 1664525) + 1013904223) | 0) >>> 0) / 2 ** 32;
  }

  /** Creations at these gaps, in ms; each stack costs `cost`. */
  function run(sampler: StackSampler, creations: number, gapMs: number, costMs: number, start = 0) {
    let [now, stacks, spent] = [start, 0, 0];
    for (let i = 0; i < creations; i++) {
      now += gapMs;
      if (!sampler.wants(now)) continue;
      sampler.took(now, now + costMs);
      now += costMs;
      spent += costMs;
      stacks++;
    }
    return { now, stacks, spent };
  }

  test('stacks take a twentieth of the time at most, besides what a burst may take, whatever they cost', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.0001, max: 1, noNaN: true }),
        fc.double({ min: 0.001, max: 20, noNaN: true }),
        fc.integer(),
        (gapMs, costMs, seed) => {
          const { now, spent } = run(new StackSampler(0, randomOf(seed)), 20_000, gapMs, costMs);
          expect(spent).toBeLessThanOrEqual(100 + 20 * costMs + now * 0.05);
        },
      ),
    );
  });

  test('a program that makes few promises gets a stack for each', () => {
    const sampler = new StackSampler(0);
    expect(run(sampler, 5000, 10, 0.05).stacks).toBe(5000);
    expect(sampler.oneIn).toBe(1);
  });

  test('after a flood each is seen again, soon, though nothing counts down any more', () => {
    const sampler = new StackSampler(0, randomOf(1));
    const { now } = run(sampler, 2_000_000, 0.0001, 0.05);
    expect(sampler.oneIn).toBeGreaterThan(100);
    run(sampler, 100, 500, 0.05, now);
    expect(sampler.oneIn).toBe(1);
  });

  test('of a loop that makes four promises a turn, all four are seen alike', () => {
    const sampler = new StackSampler(0, randomOf(7));
    const seen = [0, 0, 0, 0];
    let now = 0;
    for (let i = 0; i < 400_000; i++) {
      now += 0.001;
      if (!sampler.wants(now)) continue;
      if (i > 100_000) seen[i % 4]!++;
      sampler.took(now, (now += 0.003));
    }
    expect(Math.min(...seen)).toBeGreaterThan(200);
    expect(Math.min(...seen)).toBeGreaterThan(Math.max(...seen) * 0.8);
  });
});

describe('creation sites', () => {
  const frames = (key: string) => [{ name: key, place: null }];

  test('a number in use stands for the same stack for ever; a full table takes new ones where nobody is left', () => {
    const key = fc.integer({ min: 0, max: MAX_SITES * 2 }).map(String);
    const step = fc.record({ key, leaves: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 100, maxLength: 400 }),
        fc.integer({ min: 0, max: 50 }),
        (steps, spare) => {
          const sites = new CreationSites();
          // Nearly full of those that stay.
          const users: [number: number, key: string][] = [];
          for (let i = 0; i < MAX_SITES - spare; i++)
            users.push([sites.use(`stays ${i}`, () => frames(`stays ${i}`)), `stays ${i}`]);
          const others: [number: number, key: string][] = [];
          for (const { key, leaves } of steps) {
            const taken = new Set(others.map(([, key]) => key));
            const number = sites.use(key, () => frames(key));
            expect(number === NO_SITE).toBe(!taken.has(key) && taken.size >= spare);
            if (number !== NO_SITE) others.push([number, key]);
            if (leaves < 0.5 && others.length > 0) {
              sites.leave(others.splice(Math.floor(leaves * 2 * others.length), 1)[0]![0]);
            }
          }
          for (const [number, key] of [...users, ...others]) expect(sites.stackOf(number)).toEqual(frames(key));
        },
      ),
      { numRuns: runs(30) },
    );
  });

  test('nobody leaves where there was no room', () => {
    const sites = new CreationSites();
    sites.leave(NO_SITE);
    expect(sites.use('a', () => frames('a'))).not.toBe(NO_SITE);
  });
});

describe('the account of a thread', () => {
  const at = (key: string) => ({ key, frames: () => [{ name: key, place: null }] });

  function log() {
    const around = { now: 1000, here: 'a' };
    const log = new CreationLog(
      () => around.now,
      () => at(around.here),
    );
    return { around, log };
  }

  test('ages are exact, for what is young and for what is old, and what is settled is gone', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            gap: fc.integer({ min: 0, max: 10_000 }),
            settles: fc.boolean(),
            here: fc.constantFrom('a', 'b', 'c'),
          }),
          {
            maxLength: 60,
          },
        ),
        fc.nat(100_000),
        fc.boolean(),
        (creations, wait, flood) => {
          const { around, log: account } = log();
          const held: object[] = [];
          const expected = new Map<string, { count: number; born: number }>();
          creations.forEach(({ gap, settles, here }, index) => {
            around.now += gap;
            around.here = here;
            held.push(Promise.resolve());
            account.created(index + 1, 'PROMISE', held.at(-1)!);
            if (settles) return account.settled(index + 1);
            const site = expected.get(here) ?? { count: 0, born: around.now };
            expected.set(here, { ...site, count: site.count + 1 });
          });
          // So many that all of the above grow old.
          for (let id = 1001; flood && id < 6000; id++) {
            account.created(id, 'PROMISE', Promise.resolve());
            account.settled(id);
          }
          around.now += wait;
          const { sites, live } = account.snapshot();
          const told = new Map(
            sites.map(({ stack, count, oldestAgeMs }) => [stack![0]!.name, { count, born: around.now - oldestAgeMs }]),
          );
          expect(told).toEqual(expected);
          expect(live).toBe([...expected.values()].reduce((sum, { count }) => sum + count, 0));
        },
      ),
      { numRuns: runs(50) },
    );
  });

  test('sites with the most waiting come first; of too many, the rest is counted', () => {
    const { around, log: account } = log();
    const held: object[] = [];
    for (let i = 0; i < 80; i++) {
      around.here = `site ${i}`;
      // The later ones are more: but not by as much as they are younger.
      for (let copy = 0; copy <= (i === 79 ? 1000 : 0); copy++) {
        held.push({});
        account.created(held.length, 'PROMISE', held.at(-1)!);
      }
      around.now += 10;
    }
    const { sites, untold, live } = account.snapshot();
    expect(sites).toHaveLength(50);
    expect(sites[0]).toMatchObject({ count: 1001, oldestAgeMs: 10, stack: [{ name: 'site 79' }] });
    expect(sites[1]).toMatchObject({ count: 1, oldestAgeMs: 800, stack: [{ name: 'site 0' }] });
    expect([live, untold]).toEqual([1080, 30]);
  });

  test('what the event loop has done with in a turn is not recorded', () => {
    const { log: account } = log();
    for (const type of ['TickObject', 'Immediate', 'Microtask']) account.created(1, type, {});
    expect(account.snapshot()).toMatchObject({ recorded: 0, live: 0, sites: [], sampledOneIn: 1 });
  });

  test('of the same place, each kind of resource is told apart', () => {
    const { log: account } = log();
    const held = [new Resource(1), {}];
    account.created(1, 'TCPWRAP', held[0]!);
    account.created(2, 'Timeout', held[1]!);
    expect(
      account
        .snapshot()
        .sites.map(({ type }) => type)
        .toSorted(),
    ).toEqual(['TCPWRAP', 'Timeout']);
  });

  test('how many stacks were taken is told; where none could be, or a flood left no time, there is none', () => {
    let now = 0;
    const account = new CreationLog(
      () => (now += 0.02),
      () => (now < 500 ? undefined : at('a')),
    );
    account.created(1, 'PROMISE', {});
    expect(account.snapshot()).toMatchObject({ sites: [{ stack: null, count: 1 }], sampledOneIn: 1 });
    const held: object[] = [];
    for (let id = 2; id < 100_000; id++) account.created(id, 'PROMISE', held[held.push({}) - 1]!);
    const { recorded, sampledOneIn, sites } = account.snapshot();
    const withStack = sites.find(({ stack }) => stack !== null)!.count;
    expect(withStack).toBeGreaterThan(0);
    expect(recorded / sampledOneIn).toBeCloseTo(withStack);
    expect(sites.find(({ stack }) => stack === null)!.count).toBe(recorded - withStack);
  });
});

describe('a creation stack', () => {
  function here() {
    return creationStack(here)!;
  }

  test('begins with the caller, names its place, and is the same for the same place only', () => {
    const stacks = [1, 2].map(() => here());
    expect(stacks[0]!.key).toBe(stacks[1]!.key);
    expect(here().key).not.toBe(stacks[0]!.key);
    const [first] = stacks[0]!.frames();
    expect(first!.place!.file).toBe(import.meta.filename);
  });

  test('is ten frames deep at most, without any of Node', () => {
    const deep = (depth: number): ReturnType<typeof here> => (depth === 0 ? here() : deep(depth - 1));
    expect(deep(15).frames()).toHaveLength(10);
    const [stack] = [1].map(() => here());
    for (const { place } of stack!.frames()) expect(place!.file).toMatch(/^\//);
  });

  test('calls nothing of the program, and leaves both settings of Error as they were', () => {
    const settings = ['prepareStackTrace', 'stackTraceLimit'] as const;
    const before = settings.map((name) => Object.getOwnPropertyDescriptor(Error, name));
    try {
      const own = {
        get: () => {
          throw new Error('called');
        },
        configurable: true,
      };
      Object.defineProperty(Error, 'prepareStackTrace', own);
      Reflect.deleteProperty(Error, 'stackTraceLimit');
      expect(here().frames()[0]!.place!.file).toBe(import.meta.filename);
      expect(Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')!.get).toBe(own.get);
      expect(Object.hasOwn(Error, 'stackTraceLimit')).toBe(false);
    } finally {
      settings.forEach((name, index) => {
        Reflect.deleteProperty(Error, name);
        if (before[index]) Object.defineProperty(Error, name, before[index]);
      });
    }
  });
});

describe('in words', () => {
  const snapshot: HooksSnapshot = {
    live: 1234,
    recorded: 56_789,
    dropped: 0,
    sampledOneIn: 1,
    untold: 0,
    sites: [
      { type: 'PROMISE', stack: null, count: 1000, oldestAgeMs: 3000 },
      { type: 'PROMISE', stack: [], count: 1, oldestAgeMs: 12 },
      {
        type: 'PROMISE',
        stack: [
          { name: 'load', place: { file: '/srv/load.js', line: 3, column: 7 } },
          { name: '', place: { file: '/srv/app.js', line: 1, column: 1 } },
        ],
        count: 230,
        oldestAgeMs: 61_000,
      },
      { type: 'Timeout', stack: [{ name: 'tick', place: null }], count: 1, oldestAgeMs: 1500 },
      { type: 'TCP\u001b[2J', stack: [{ name: 'serve', place: null }], count: 2, oldestAgeMs: 10 },
    ],
  };

  test('what has a place comes first, with its stack; nothing of the program steers a terminal', () => {
    expect(renderHooks(snapshot)).toBe(`created: 1,234 resources live of 56,789, each with its stack
  promise ×230, the oldest 1m 1s old
    load  /srv/load.js:3:7
    (anonymous)  /srv/app.js:1:1
  timer, 1.5s old
    tick
  TCP\\u001b[2J ×2, the oldest 10ms old
    serve
  promise ×1,000 without a stack, the oldest 3s old
  promise made inside Node or holdfast, 12ms old
`);
  });

  test('losses are admitted', () => {
    const [line] = renderHooks({ ...snapshot, dropped: 4000, sampledOneIn: 1234.4 }).split('\n');
    expect(line).toBe(
      'created: 1,234 resources live of 56,789, one in 1,234 with its stack; 4,000 not followed, as too many lived',
    );
    expect(renderHooks({ ...snapshot, sampledOneIn: 1.26 })).toContain('one in 1.3 with its stack');
    const many = { ...snapshot, sites: Array.from({ length: 12 }, () => snapshot.sites[2]!), untold: 7 };
    expect(renderHooks(many)).toMatch(/\n {2}… 467 more, made elsewhere\n$/);
  });
});
