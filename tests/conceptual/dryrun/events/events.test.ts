/** What events are made of: the built-in set, and sets that users bring. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { planArrivals } from '../../../../dist/dryrun/plan/arrivals.js';
import { eventMaker } from '../../../../dist/dryrun/events/events.js';
import { consume } from '../../../../dist/dryrun/handler.js';
import { isoClock } from '../../../../dist/dryrun/events/iso-time.js';
import { DEFAULT_PLAN, type Plan } from '../../../../dist/dryrun/plan/plan.js';
import { TRADING_MAKERS } from '../../../../dist/dryrun/events/trading-events.js';
import { checkedMakers, loadEvents } from '../../../../dist/dryrun/events/user-events.js';
import { defineEvents, generateEvents, tradingEvents, type DryRunEvent, type EventOf } from '../../../../dist/index.js';
import { decode, encode } from '../../../../dist/runtime/task/codec.js';
import { tempDir } from '../../../support/temp-dir.js';

type AnyEvent = DryRunEvent & Record<string, unknown>;

function eventsOf(plan: Partial<Plan>): AnyEvent[] {
  const whole = { ...DEFAULT_PLAN, ...plan };
  const make = eventMaker(whole);
  return [...planArrivals(whole)].map((arrival) => make(arrival) as AnyEvent);
}

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('trades, orders and positions', () => {
  test('match their schemas, whatever the seed is', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom('sequential' as const, 'random' as const), (seed, pattern) => {
        for (const event of eventsOf({ seed, pattern, count: 60 })) {
          const { type, eventId, timestamp, dryRun, ...body } = event;
          const schema = tradingEvents[type as keyof typeof tradingEvents].schema as unknown as z.ZodType;
          expect(schema.parse(body)).toEqual(body);
          expect(eventId).toMatch(new RegExp(`^${type}_[1-9]\\d*$`));
          expect(z.iso.datetime({ precision: 3 }).safeParse(timestamp).success).toBe(true);
          expect(dryRun).toBe(true);
        }
      }),
    );
  });

  test('have what trades, orders and positions have', () => {
    const [trade, order, position] = eventsOf({ count: 3 }).map((event) => Object.keys(event));
    const envelope = ['type', 'eventId', 'timestamp'];
    expect(trade).toEqual([...envelope, 'symbol', 'quantity', 'price', 'side', 'account', 'dryRun']);
    expect(order).toEqual([
      ...envelope,
      ...['symbol', 'quantity', 'price', 'side', 'orderType', 'status', 'account', 'dryRun'],
    ]);
    expect(position).toEqual([...envelope, 'symbol', 'quantity', 'averagePrice', 'profit', 'account', 'dryRun']);
  });

  test('take five symbols in turn, and every side, order type and state', () => {
    const events = eventsOf({ count: 3_000 });
    const trades = events.filter(({ type }) => type === 'trade').map(({ symbol }) => symbol);
    const five = trades.slice(0, 5);
    expect(new Set(five).size).toBe(5);
    expect(trades).toEqual(trades.map((_, n) => five[n % 5]));
    const seen = (field: string) => new Set(events.map((event) => event[field]).filter((value) => value !== undefined));
    expect(seen('side')).toEqual(new Set(['BUY', 'SELL']));
    expect(seen('orderType')).toEqual(new Set(['MARKET', 'LIMIT', 'STOP']));
    expect(seen('status')).toEqual(new Set(['PENDING', 'FILLED', 'CANCELLED', 'REJECTED']));
  });

  test('are of the account that is given', () => {
    for (const { account } of eventsOf({ account: 'A-17', count: 6 })) expect(account).toBe('A-17');
  });

  test('travel as JSON, unchanged', () => {
    for (const event of eventsOf({ count: 300 })) {
      const encoded = encode(event, 'the event');
      expect(typeof encoded).toBe('string');
      expect(decode(encoded)).toEqual(event);
    }
    // A loss of less than a cent: JSON holds no -0.
    const draw = { float: () => 0.4999999, whole: () => 1, pick: <Item>(items: readonly Item[]) => items[0]! };
    expect(TRADING_MAKERS.position.make(draw, 1, { account: 'A' }).profit).toBe(0);
  });

  test('are other ones with another seed', () => {
    expect(eventsOf({ seed: 1, count: 9 })).not.toEqual(eventsOf({ seed: 2, count: 9 }));
  });
});

describe('timestamps', () => {
  test('follow the plan from a fixed instant, so that the same seed gives the same bytes', () => {
    const times = eventsOf({ rate: 4, count: 3 }).map(({ timestamp }) => timestamp);
    expect(times).toEqual(['2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00.250Z', '2024-01-01T00:00:00.500Z']);
  });

  test('are those of the clock where that is asked for', () => {
    const before = Date.now();
    const [event] = eventsOf({ count: 1, wallClock: true });
    const at = Date.parse(event!.timestamp);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  test('are what Date makes of them', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 8.64e15, noNaN: true }), { minLength: 1 }), (instants) => {
        const iso = isoClock();
        // Also those that share a minute.
        for (const at of instants.flatMap((at) => [at, Math.min(8.64e15, at + 1), Math.max(0, at - 59_999)])) {
          expect(iso(at)).toBe(new Date(Math.floor(at)).toISOString());
        }
      }),
    );
  });
});

describe('the built-in handler', () => {
  test('takes every event, and gives its id back', () => {
    for (const event of eventsOf({ count: 30 })) expect(consume(event)).toEqual({ eventId: event.eventId });
  });

  test.each([
    [null, 'this is not an event: it has no type, no eventId, no timestamp'],
    [{ type: 'trade', eventId: 'trade_1', timestamp: 17, dryRun: true }, 'this is not an event: it has no timestamp'],
    [{ type: 'trade', eventId: 'trade_1', timestamp: 'now' }, 'trade_1 is of no dry run: it is not marked as such'],
  ])('refuses %j', (input, message) => {
    expect(() => consume(input)).toThrow(new TypeError(message));
  });
});

const SCHEMA = z.object({ user: z.string(), age: z.int() });

describe('a set of one’s own', () => {
  const events = defineEvents({
    login: { schema: SCHEMA, weight: 2, make: (draw, n) => ({ user: `user-${n}`, age: draw.whole(18, 99) }) },
    logout: { schema: z.object({ account: z.string() }), make: (_draw, _n, { account }) => ({ account }) },
  });

  test('is typed, from the set to the event', async () => {
    type Login = {
      type: 'login';
      eventId: `login_${number}`;
      timestamp: string;
      dryRun: true;
      user: string;
      age: number;
    };
    expectTypeOf<Extract<EventOf<typeof events>, { type: 'login' }>>().toMatchObjectType<Login>();
    const seen = [];
    for await (const event of generateEvents({ events, count: 4, paced: false, account: 'A-1' })) {
      if (event.type === 'login') seen.push(`${event.eventId} ${event.user}`);
      else {
        expectTypeOf(event.account).toBeString();
        // @ts-expect-error -- only logins have a user
        expect(event.user).toBeUndefined();
        seen.push(`${event.eventId} ${event.account}`);
      }
    }
    expect(seen).toEqual(['login_1 user-1', 'logout_1 A-1', 'login_2 user-2', 'logout_2 A-1']);
  });

  test('whose events do not match their schemas does not compile', () => {
    // @ts-expect-error -- age is a number
    defineEvents({ login: { schema: SCHEMA, make: () => ({ user: 'u', age: 'old' }) } });
  });

  test('can be the built-in one with more', async () => {
    const more = defineEvents({ ...tradingEvents, alert: { schema: z.object({}), make: () => ({}) } });
    const types = [];
    for await (const { type } of generateEvents({ events: more, count: 4, paced: false })) types.push(type);
    expect(types).toEqual(['trade', 'order', 'position', 'alert']);
  });

  test('may name its types as things that every object has', () => {
    const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];
    const makers = checkedMakers(
      Object.fromEntries(names.map((name) => [name, { schema: ANYTHING, make: () => ({}) }])),
      'they',
    );
    if (Array.isArray(makers)) throw new Error(JSON.stringify(makers));
    const ids = eventsOf({ events: makers, count: 8 }).map(({ eventId }) => eventId);
    expect(ids).toEqual([...names.map((name) => `${name}_1`), ...names.map((name) => `${name}_2`)]);
  });

  const ANYTHING = { '~standard': { validate: () => ({}) } };

  const failing = (type: Record<string, unknown>) => {
    const makers = checkedMakers({ login: { schema: SCHEMA, ...type } }, 'they');
    if (Array.isArray(makers)) throw new Error(JSON.stringify(makers));
    return () => eventsOf({ events: makers, count: 1 });
  };

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['field', { make: () => ({ user: 'u', age: 1.5 }) }, /^event login_1 does not match its schema: age: .*int/],
    ['two fields', { make: () => ({}) }, /user: .*; age: /],
    [
      'a whole',
      { make: () => ({ user: 'u', age: 1 }), schema: SCHEMA.refine(() => false, 'no such user') },
      /schema: no such user$/,
    ],
    ['nothing', { make: () => undefined }, /^event login_1 does not match its schema: /],
    [
      'a path in steps',
      {
        make: () => ({}),
        schema: { '~standard': { validate: () => ({ issues: [{ message: 'm', path: [{ key: 'a' }, 0] }] }) } },
      },
      /schema: a\.0: m$/,
    ],
    [
      'a promise',
      { make: () => ({}), schema: { '~standard': { validate: () => Promise.resolve({}) } } },
      /cannot be checked: its schema answers with a promise/,
    ],
    [
      'an exception',
      {
        make: () => {
          throw new RangeError('no more users');
        },
      },
      /^event login_1 could not be made: no more users$/,
    ],
    [
      'no error at all',
      {
        make: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- users may
          throw 'text';
        },
      },
      /could not be made: "text"/,
    ],
    ['no object', { make: () => 7, schema: ANYTHING }, /^event login_1 was made as 7, and is to be an object$/],
    ['null', { make: () => null, schema: ANYTHING }, /^event login_1 was made as null, and/],
    ['a body that is still to come', { make: async () => ({}), schema: ANYTHING }, /was made as a promise, and/],
    [
      'fields that are ours',
      { make: () => ({ user: 'u', age: 1, type: 'mine', dryRun: false }) },
      /fields of its own that every event is given: type, dryRun$/,
    ],
  ])('ends where an event breaks its schema, and names event and fault: %s', (_, type, message) => {
    expect(failing(type)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_EVENT', message: expect.stringMatching(message) as string }),
    );
  });

  test.each<[string, unknown, string[]]>([
    ['nothing', null, ['they are to be types of events by name, got null']],
    ['no type', {}, ['they are to be types of events by name, got {}']],
    [
      'half a type',
      { login: null, 'a b': { make: () => ({}), schema: SCHEMA, weight: 0 } },
      [
        'they: "login" has no function "make"',
        'they: "login" has no "schema" of zod or another that follows Standard Schema',
        'they: "a b" is not a type name: letters, digits, ._- and at most 64 of them',
        'they: "a b" has a weight that is not a number above 0: 0',
      ],
    ],
  ])('is refused with every fault: %s', (_, set, problems) => {
    expect(checkedMakers(set, 'they')).toEqual(problems.map((problem) => ({ where: 'events', problem })));
  });
});

describe('a module of events', () => {
  const SET = '{ ping: { schema: { "~standard": { validate: () => ({}) } }, make: () => ({}) } }';
  const module = (name: string, text: string) => {
    const dir = tempDir();
    writeFileSync(join(dir, name), text);
    return loadEvents(name, dir);
  };

  test.each([
    ['a.mjs', `export const events = ${SET};`],
    ['b.mjs', `export default ${SET};`],
    ['c.cjs', `module.exports = ${SET};`],
  ])('exports a set, by name or as its default: %s', async (name, text) => {
    expect(Object.keys(await module(name, text))).toEqual(['ping']);
  });

  test.each([
    ['a.mjs', 'export const event = {};', '"a.mjs" exports neither "events" nor a default'],
    ['b.mjs', 'export const events = 7;', 'the events of "b.mjs" are to be types of events by name, got 7'],
    ['c.mjs', 'throw new Error("on its own");', 'cannot load "c.mjs": on its own'],
    ['d.mjs', 'export const events = ;', `cannot load "d.mjs": Unexpected token ';'`],
  ])('is refused where it is none: %s', async (name, text, problem) => {
    expect(await module(name, text)).toEqual([{ where: 'events', problem }]);
  });

  test('is refused where there is none', async () => {
    const problem = 'cannot load "gone.mjs": there is no such file';
    expect(await loadEvents('gone.mjs', tempDir())).toEqual([{ where: 'events', problem }]);
  });
});
