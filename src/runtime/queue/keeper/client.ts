/** The queue as an executor has it whose store lies in another process. */
import { Socket } from 'node:net';
import type { HoldfastError } from '../../../base/errors.js';
import type { NewTask, OutcomeState, TaskCounts } from '../../task/task.js';
import type {
  AddedTask,
  AddTold,
  AllAdded,
  Audit,
  Cancellation,
  ClaimedTask,
  Cursor,
  GoneExecutor,
  HeldTasks,
  MendedCount,
  OutcomeChoice,
  OutcomeFilter,
  OutcomePage,
  OutcomeRecord,
  Recovery,
  Retrial,
  RunIdentity,
  Settled,
  Settlement,
  StoreTraits,
  TaskQueue,
  WithInput,
  Work,
} from '../contract.js';
import { queueClosed } from '../refusals.js';
import { WorkSignal } from '../work-signal.js';
import {
  inShort,
  packSettlements,
  packTasks,
  unpackAdded,
  unpackClaimed,
  unpackSettled,
  type PackedAdded,
  type PackedClaimed,
  type PackedSettled,
} from './batches.js';
import { Channel } from './channel.js';
import { KeptTasks } from './kept-tasks.js';
import { keeperDied } from './keeper-died.js';
import type { AnsweredPage, Joined } from './protocol.js';
import { errorOf } from './told-errors.js';

/** Pages of outcomes are up to a megabyte, and so no more than a few are on their way at one time. */
const PAGE_BYTES = 2 ** 20;

/** A line to a keeper. */
export interface KeeperLine {
  socket: Socket;
  /** Resolves, once the line is closed, when the keeper's process has ended: with how, in words such as `was ended by SIGKILL`. */
  ended(): Promise<string>;
}

/** The line to a keeper that is the supervisor of this process, and outlives it. */
export function lineTo(fd: number): KeeperLine {
  return { socket: new Socket({ fd }), ended: async () => 'has ended' };
}

/** An executor's end, before and after it has joined. */
export class KeeperClient {
  readonly #line: KeeperLine;
  readonly #channel: Channel;
  readonly #signal = new WorkSignal();
  readonly #lost: Promise<HoldfastError>;

  constructor(line: KeeperLine) {
    this.#line = line;
    let tellLost!: (error: HoldfastError) => void;
    this.#lost = new Promise((resolve) => (tellLost = resolve));
    this.#channel = new Channel(line.socket, {
      onSignal: (work) => this.#signal.came(work as Work),
      whyLost: async () => keeperDied(await line.ended()),
      onLost: (error) => tellLost(error as HoldfastError),
    });
  }

  /** Makes this executor the one that has the queue. @param fresh whether it is to be cleared */
  async join(fresh: boolean): Promise<TaskQueue> {
    const joined = await this.#channel.call<Joined>('join', [fresh]);
    return new KeptQueue(joined, this.#channel, this.#signal, this.#lost, () => this.leave());
  }

  /** Resolves when the keeper has nothing to do with this executor any more. */
  async leave(): Promise<void> {
    await this.#channel.end();
    await this.#line.ended();
  }
}

class KeptQueue implements TaskQueue {
  readonly member: number;
  readonly predecessor: number;
  readonly traits: StoreTraits;
  readonly lost: Promise<HoldfastError>;
  readonly #channel: Channel;
  readonly #signal: WorkSignal;
  readonly #leave: () => Promise<void>;
  readonly #kept = new KeptTasks();
  #closed: Promise<void> | undefined;

  constructor(
    { member, predecessor, traits }: Joined,
    channel: Channel,
    signal: WorkSignal,
    lost: Promise<HoldfastError>,
    leave: () => Promise<void>,
  ) {
    this.member = member;
    this.predecessor = predecessor;
    this.traits = traits;
    this.#channel = channel;
    this.#signal = signal;
    this.lost = lost;
    this.#leave = leave;
  }

  onWork(listener: (work: Work) => void): void {
    this.#signal.listen(listener);
  }

  add(tasks: readonly NewTask[], told: 'with outcome'): Promise<AddedTask[] | AllAdded>;
  add(tasks: readonly NewTask[], told?: 'at once'): Promise<AddedTask[]>;
  add(tasks: readonly NewTask[], told?: AddTold): Promise<AddedTask[] | AllAdded> {
    if (this.#closed !== undefined) return Promise.reject(queueClosed());
    this.#signal.came('queued');
    const reserved = this.#kept.reserve(tasks);
    const adding = this.#channel.call('add', [packTasks(tasks), reserved, told], {
      read: (packed: PackedAdded) => {
        this.#kept.added(tasks, packed, reserved);
        return (told === 'with outcome' && inShort(packed, tasks)) || unpackAdded(packed, tasks);
      },
    });
    if (reserved) adding.catch(() => this.#kept.notAdded(tasks));
    return adding;
  }

  claim(limit: number, now: number): Promise<ClaimedTask[]> {
    return this.#call('claim', [limit, now], (packed: PackedClaimed) => this.#claimed(packed));
  }

  claimSuspect(): Promise<ClaimedTask | undefined> {
    return this.#call('claimSuspect', [], (packed: PackedClaimed) => this.#claimed(packed)[0]);
  }

  settle(settlements: readonly Settlement[]): Promise<Settled> {
    return this.#call('settle', [packSettlements(settlements)], (packed: PackedSettled) =>
      unpackSettled(packed, settlements),
    );
  }

  cancel(id: string): Promise<Cancellation> {
    return this.#call('cancel', [id], (cancellation: Cancellation) => {
      if (cancellation.cancelled !== undefined) this.#kept.drop(cancellation.cancelled.seq);
      return cancellation;
    });
  }

  retry(states: readonly OutcomeState[]): Promise<number> {
    this.#signal.came('queued');
    return this.#call('retry', [states]);
  }

  retryTask(id: string): Promise<Retrial> {
    this.#signal.came('queued');
    return this.#call('retryTask', [id]);
  }

  held(limit: number): Promise<HeldTasks> {
    return this.#call('held', [limit]);
  }

  letGo(): Promise<void> {
    return this.#call('letGo', []);
  }

  nextDue(): Promise<number | undefined> {
    return this.#call('nextDue', []);
  }

  suspects(): Promise<number> {
    return this.#call('suspects', []);
  }

  recover(gone: GoneExecutor, maxCrashes: number): Promise<Recovery> {
    return this.#call('recover', [gone, maxCrashes]);
  }

  identify(identity: RunIdentity): Promise<void> {
    return this.#call('identify', [identity]);
  }

  identity(): Promise<RunIdentity | undefined> {
    return this.#call('identity', []);
  }

  hold(): Promise<number> {
    return this.#call('hold', []);
  }

  capDelays(latest: number): Promise<void> {
    return this.#call('capDelays', [latest]);
  }

  audit(how: Audit): Promise<MendedCount[]> {
    return this.#call('audit', [how]);
  }

  clear(): Promise<void> {
    return this.#call('clear', [], () => this.#kept.clear());
  }

  async check(): Promise<void> {
    if (this.#closed === undefined) await this.#call('check', []);
  }

  counts(): Promise<TaskCounts> {
    return this.#call('counts', []);
  }

  outcomesOfOtherVersions(version: string): Promise<number> {
    return this.#call('outcomesOfOtherVersions', [version]);
  }

  outcome(id: string, options?: WithInput): Promise<OutcomeRecord | undefined> {
    return this.#call('outcome', [id, options]);
  }

  async *outcomes({ afterOrdinal = 0, ...choice }: OutcomeFilter = {}): AsyncIterable<OutcomeRecord> {
    for (let cursor = afterOrdinal; ;) {
      const page = await this.outcomesAfter(cursor, choice);
      yield* page.outcomes;
      if (page.cursor === cursor) return;
      cursor = page.cursor;
    }
  }

  async outcomesAfter(cursor: Cursor, { onDamaged, ...choice }: OutcomeChoice = {}): Promise<OutcomePage> {
    if (this.#closed !== undefined) throw queueClosed();
    const args = [cursor, choice, onDamaged !== undefined];
    const { page, damaged } = await this.#channel.call<AnsweredPage>('outcomesAfter', args, { leastBytes: PAGE_BYTES });
    for (const error of damaged) onDamaged!(errorOf(error) as HoldfastError);
    return page;
  }

  lastOrdinal(): Promise<number> {
    return this.#call('lastOrdinal', []);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#channel.call('close', []);
    } finally {
      await this.#leave();
    }
  }

  #call<Given, T = Given>(method: string, args: readonly unknown[], read?: (given: Given) => T): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(queueClosed());
    return this.#channel.call<Given, T>(method, args, read && { read });
  }

  #claimed(packed: PackedClaimed): ClaimedTask[] {
    for (const seq of packed.others.seqs) this.#kept.drop(seq);
    return unpackClaimed(packed, (seq) => this.#kept.take(seq));
  }
}
