/** The stores against a model, through random lives: calls alone and together, deaths and new executors. */
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMemoryQueue } from '../../../../dist/runtime/queue/memory/memory-queue.js';
import { openSqliteStore } from '../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import type {
  Claim,
  ClaimedTask,
  PreviousDeath,
  QueueStore,
  Settlement,
  TaskQueue,
  Work,
} from '../../../../dist/runtime/queue/contract.js';
import type { EarlierAttempt, NewTask, OutcomeState } from '../../../../dist/runtime/task/task.js';
import { KeptStore } from '../../../support/kept-store.js';
import { QueueModel, type ModelClaim } from '../../../support/queue-model.js';
import { all, aTask, done } from '../../../support/queue-tasks.js';
import { runs } from '../../../support/runs.js';

type Call =
  | { call: 'add'; specs: NewTask[] }
  | { call: 'claim'; limit: number; later: number }
  | { call: 'claimSuspect' }
  | { call: 'settle'; picks: { which: number; settlement: Settlement }[] }
  | { call: 'cancel' | 'retryTask'; which: number }
  | { call: 'retry'; states: OutcomeState[] }
  | { call: 'hold' }
  | { call: 'letGo' };

/** How an executor ends: it closes the queue, it dies and its keeper sees it, both die at once. */
type Ending = 'closes' | 'dies' | 'dies with keeper';

/** Calls made in one tick, or the end of the executor and the start of the next. */
type Step =
  /** `doomed`: before which of them one is made that fails, and has all of them begin anew. */
  { together: Call[]; doomed?: number | undefined } | { previous: PreviousDeath; maxCrashes: number; ending: Ending };

const NOBODYS: Claim = { seq: 4711, token: 0 };
const small = fc.nat(30);
const outcomeState = fc.constantFrom<OutcomeState>('done', 'failed', 'crashed', 'timed-out');
const spec = fc
  .record({
    id: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { nil: undefined }),
    handler: fc.constantFrom('one', 'one', 'two'),
    priority: fc.integer({ min: -1, max: 1 }),
    timeoutMs: fc.constantFrom(undefined, undefined, 5),
  })
  .map((fields) => aTask(fields));
const charge = { attempts: small, crashes: fc.nat(2) };
const earlier = fc.array(
  fc.record<EarlierAttempt>({
    attempt: small,
    state: fc.constantFrom('failed', 'timed-out'),
    error: fc.constant({ name: 'Error', message: 'no' }),
    startedAt: fc.constant(7),
    durationMs: fc.constant(0.5),
    thread: fc.constant(1),
  }),
  { minLength: 1, maxLength: 5 },
);
const version = fc.constantFrom('aaaaaaaaaaaa', 'bbbbbbbbbbbb', undefined);
const settlement = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ state: outcomeState, version, ...charge }).map((fields) => done(NOBODYS, fields)),
  },
  fc.record({
    kind: fc.constant('retry' as const),
    claim: fc.constant(NOBODYS),
    runAt: fc.nat(60),
    earlier,
    ...charge,
  }),
  fc.record({ kind: fc.constantFrom('release' as const, 'suspect' as const), claim: fc.constant(NOBODYS) }),
);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ call: fc.constant('add' as const), specs: fc.array(spec, { maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant('claim' as const), limit: fc.nat(5), later: fc.nat(20) }) },
  fc.record({ call: fc.constant('claimSuspect' as const) }),
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant('settle' as const),
      picks: fc.array(fc.record({ which: small, settlement }), { minLength: 1, maxLength: 4 }),
    }),
  },
  fc.record({ call: fc.constantFrom('cancel' as const, 'retryTask' as const), which: small }),
  fc.record({ call: fc.constantFrom('hold' as const, 'hold' as const, 'letGo' as const) }),
  fc.record({ call: fc.constant('retry' as const), states: fc.uniqueArray(outcomeState, { maxLength: 2 }) }),
);
const together = fc.record({ together: fc.array(call, { minLength: 1, maxLength: 5 }) });
const withDoomed = fc.record({
  together: fc.array(call, { minLength: 1, maxLength: 5 }),
  doomed: fc.option(fc.nat(4), { nil: undefined, freq: 2 }),
});
const newExecutor = fc.record({
  previous: fc.constantFrom<PreviousDeath>('unseen', 'killed', 'crashed'),
  maxCrashes: fc.integer({ min: 1, max: 3 }),
  ending: fc.constantFrom<Ending>('closes', 'dies', 'dies with keeper'),
});

/** Hundreds of lives take seconds, and a minute where many others work; a failure is shrunk besides. */
const PATIENCE_MS = 300_000;

/** A call that was made on both. `claims`: those that it gives, as the model knows them. */
interface Made {
  real: Promise<unknown>;
  expected: unknown;
  claims?: ModelClaim[];
}

const NONE = { claim: NOBODYS, model: { seq: NOBODYS.seq, nth: 0 } };

/** One life of a store, beside its model. */
class Life {
  readonly #model: QueueModel;
  readonly #reopen: (ending: Ending) => Promise<TaskQueue>;
  #queue: TaskQueue;
  #now = 0;
  /** What there may be, as somebody believes who asks only when told. */
  readonly #mayBe = new Set<Work>();
  #lastDue: number | undefined;
  /** All that were ever given, the latest last; those of one tick are known after it. */
  readonly #claims: { claim: Claim; model: ModelClaim }[] = [];
  /** Of somebody who follows the outcomes. */
  #cursor = 0;
  /** Every outcome ever seen, by its ordinal. */
  readonly #recorded = new Map<number, string>();

  constructor(queue: TaskQueue, model: QueueModel, reopen: (ending: Ending) => Promise<TaskQueue>) {
    this.#queue = queue;
    this.#model = model;
    this.#reopen = reopen;
    this.#listen();
  }

  #listen(): void {
    for (const work of ['queued', 'delayed', 'suspect'] as const) this.#mayBe.add(work);
    this.#queue.onWork((work) => this.#mayBe.add(work));
  }

  async live(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if ('together' in step) await this.#call(step.together, step.doomed);
      else await this.#restart(step.previous, step.maxCrashes, step.ending);
      await this.#compare();
    }
    await this.#queue.close();
  }

  async #call(calls: readonly Call[], doomed?: number): Promise<void> {
    const refused: Promise<unknown>[] = [];
    const pairs = calls.map((each, index) => {
      const bad = { ...aTask(), input: Symbol('no value of SQLite') as never };
      if (index === doomed) refused.push(this.#queue.add([aTask(), bad]));
      return this.#make(each);
    });
    for (const call of refused) await expect(call).rejects.toThrow();
    const real = await Promise.allSettled(pairs.map((pair) => pair.real));
    pairs.forEach(({ expected, claims = [] }, index) => {
      const result = real[index]!;
      expect(result).toEqual({ status: 'fulfilled', value: expected });
      const given = [(result as PromiseFulfilledResult<ClaimedTask | ClaimedTask[]>).value].flat();
      claims.forEach((model, at) => this.#claims.push({ claim: given[at]!, model }));
    });
  }

  /** Makes one call on both; picks its tasks from among all that the model has ever seen. */
  #make(each: Call): Made {
    const queue = this.#queue;
    const model = this.#model;
    const seqOf = (which: number): number => (which % (model.tasks.length + 1)) + 1;
    const idAt = (which: number): string => model.tasks[seqOf(which) - 1]?.spec.id ?? `#${seqOf(which)}`;
    switch (each.call) {
      case 'add':
        return { real: queue.add(each.specs), expected: model.add(each.specs) };
      case 'claim':
        this.#now += each.later;
        return this.#claim(each.limit);
      case 'claimSuspect': {
        const expected = model.claimSuspect();
        if (expected === undefined) this.#mayBe.delete('suspect');
        return { real: queue.claimSuspect(), expected, claims: this.#modelClaims(expected ? [expected] : []) };
      }
      case 'settle': {
        const live = this.#claims.filter(({ model: { seq, nth } }) => {
          const { state, claims } = model.tasks[seq - 1]!;
          return state === 'running' && claims === nth;
        });
        const picks = each.picks.map(({ which, settlement: what }, index) => {
          // Mostly tasks that run, each once; now and then what is over, or nobody's.
          const old = this.#claims[which % (this.#claims.length + 1)];
          const { claim, model: of } = (which % 8 === 0 ? undefined : live[index]) ?? old ?? NONE;
          const settlement = { ...what, claim, ...(what.kind === 'retry' && { runAt: this.#now + what.runAt }) };
          return { settlement, of };
        });
        const settlements = picks.map(({ settlement }) => settlement);
        const expected = model.settle(
          settlements,
          picks.map(({ of }) => of),
        );
        return { real: queue.settle(settlements), expected };
      }
      case 'retryTask': {
        const id = idAt(each.which);
        this.#recorded.clear();
        return { real: queue.retryTask(id), expected: model.retryTask(id) };
      }
      case 'cancel': {
        const id = idAt(each.which);
        return { real: queue.cancel(id).then(({ found }) => found), expected: model.cancel(id) };
      }
      case 'hold':
        return { real: queue.hold(), expected: model.hold() };
      case 'letGo':
        return { real: queue.letGo(), expected: model.letGo() };
      case 'retry':
        this.#recorded.clear(); // the one way to take outcomes back
        return { real: queue.retry(each.states), expected: model.retry(each.states) };
    }
  }

  #claim(limit: number): Made {
    const expected = this.#model.claim(limit, this.#now);
    // One that gave all it was asked for may have left some, of those that came due by it as well.
    if (expected.length < limit) this.#mayBe.delete('queued');
    else this.#mayBe.add('queued');
    return { real: this.#queue.claim(limit, this.#now), expected, claims: this.#modelClaims(expected) };
  }

  #modelClaims(claimed: readonly ClaimedTask[]): ModelClaim[] {
    return claimed.map(({ seq }) => ({ seq, nth: this.#model.tasks[seq - 1]!.claims }));
  }

  /** Whoever asks only when told misses nothing. */
  #compareBeliefs(): void {
    const model = this.#model;
    if (model.ready() > 0) expect(this.#mayBe).toContain('queued');
    if (model.suspects() > 0) expect(this.#mayBe).toContain('suspect');
    const due = model.nextDue();
    if (due !== undefined && due < (this.#lastDue ?? Infinity)) expect(this.#mayBe).toContain('delayed');
    this.#mayBe.delete('delayed');
    this.#lastDue = due;
  }

  async #restart(previous: PreviousDeath, maxCrashes: number, ending: Ending): Promise<void> {
    const stale = this.#queue;
    if (ending === 'closes') await stale.close();
    this.#queue = await this.#reopen(ending);
    this.#model.ended({ noted: ending !== 'dies with keeper', reopened: ending !== 'dies' });
    expect(this.#queue.member).toBe(stale.member + 1);
    expect(this.#queue.predecessor).toBe(stale.member);
    if (ending !== 'closes') {
      const late = this.#claims.map(({ claim }) => done(claim));
      await expect(stale.settle(late)).rejects.toMatchObject({ code: 'ERR_STALE_EXECUTOR' });
      // Nor may the new one settle what it did not claim.
      expect(await this.#queue.settle(late)).toEqual({ ordinals: [], refused: late });
      await stale.close();
    }
    const gone = { member: this.#queue.predecessor, death: previous };
    const { interrupted, ...expected } = this.#model.recover(previous, maxCrashes);
    const recovery = await this.#queue.recover(gone, maxCrashes);
    expect(recovery).toMatchObject(expected);
    // With its keeper gone as well, the file says how many ran as of its last write.
    if (ending === 'dies with keeper') expect(recovery.interrupted).toBeGreaterThanOrEqual(interrupted);
    else expect(recovery.interrupted).toBe(interrupted);
    expect(await this.#queue.recover(gone, maxCrashes)).toMatchObject({ interrupted: 0 });
    this.#listen();
  }

  async #compare(): Promise<void> {
    const queue = this.#queue;
    const model = this.#model;
    expect(await queue.counts()).toEqual(model.counts());
    expect(await queue.nextDue()).toBe(model.nextDue());
    expect(await queue.suspects()).toBe(model.suspects());
    this.#compareBeliefs();
    const { count, some } = await queue.held(1000);
    const ids = some.map(({ id }) => id);
    expect(ids.sort()).toEqual(model.held().sort());
    expect(count).toBe(ids.length);
    expect((await queue.held(1)).some).toHaveLength(Math.min(1, count));
    expect(await queue.outcomesOfOtherVersions('aaaaaaaaaaaa')).toBe(model.outcomesOfOtherVersions('aaaaaaaaaaaa'));
    const outcomes = await all(queue.outcomes());
    expect(await all(queue.outcomes({ state: 'not-done' }))).toEqual(outcomes.filter(({ state }) => state !== 'done'));
    expect(outcomes).toMatchObject(model.outcomes());
    expect(outcomes.length, 'each task has at most one outcome').toBe(new Set(outcomes.map(({ id }) => id)).size);
    const page = await queue.outcomesAfter(this.#cursor);
    expect(page.outcomes).toEqual(outcomes.filter(({ ordinal }) => ordinal > this.#cursor));
    expect(page.cursor).toBe(await queue.lastOrdinal());
    this.#cursor = page.cursor;
    for (const outcome of outcomes) {
      const text = JSON.stringify(outcome);
      expect(text, 'a recorded outcome never changes').toBe(this.#recorded.get(outcome.ordinal) ?? text);
      this.#recorded.set(outcome.ordinal, text);
    }
  }
}

test(
  'the memory store does what the model does',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(together, { maxLength: 40 }), async (steps) => {
        const queue = openMemoryQueue();
        await new Life(queue, new QueueModel(false), () => Promise.reject(new Error('no second one'))).live(steps);
      }),
      { numRuns: runs(400) },
    );
  },
  PATIENCE_MS,
);

/** @param opener gives, for a new file, what opens it for the next executor */
async function liveBesideModel(
  opener: (path: string, dir: string) => (ending: Ending) => Promise<TaskQueue>,
  calls: fc.Arbitrary<Step>,
  numRuns: number,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  let life = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: calls }, newExecutor), { maxLength: 30 }),
        async (steps) => {
          const open = opener(join(dir, `${life++}.db`), dir);
          await new Life(await open('closes'), new QueueModel(true), open).live(steps);
        },
      ),
      { numRuns },
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test(
  'the SQLite store does what the model does, through any death of its executor',
  async () => {
    const opener = (path: string) => {
      let store: QueueStore;
      return async (ending: Ending): Promise<TaskQueue> => {
        if (ending === 'dies') await store.left();
        else store = await openSqliteStore(path);
        return store.join();
      };
    };
    await liveBesideModel(opener, withDoomed, runs(200));
  },
  PATIENCE_MS,
);

test(
  'a SQLite store behind a keeper does the same, and stays open from one executor to the next',
  async () => {
    const opener = (path: string, dir: string) => {
      let store: KeptStore;
      return async (ending: Ending): Promise<TaskQueue> => {
        if (ending !== 'dies') store = new KeptStore(mkdtempSync(join(dir, 'k')), () => openSqliteStore(path));
        return (await store.join()).queue;
      };
    };
    await liveBesideModel(opener, together, runs(60));
  },
  PATIENCE_MS,
);
