/** One executor's line, as its keeper has it. */
import { nextTick } from 'node:process';
import type { Duplex } from 'node:stream';
import type { AddTold, ClaimedTask, Cursor, OutcomeChoice, TaskQueue } from '../contract.js';
import {
  packAdded,
  packClaimed,
  packSettled,
  unpackSettlements,
  unpackTasks,
  type PackedClaimed,
  type PackedTasks,
} from './batches.js';
import { FrameReader, frameOf } from './frames.js';
import { KeptSeqs } from './kept-tasks.js';
import type { Answer, AnsweredPage, Joined, Request } from './protocol.js';
import { toldError, type ToldError } from './told-errors.js';

/** Above so many bytes of answers that the executor has not taken, no more of its calls are read. */
const MAX_UNSENT_BYTES = 8 * 2 ** 20;

/** Calls whose arguments and answers pass as they are. */
const PLAIN = new Set<keyof TaskQueue>([
  'audit',
  'capDelays',
  'check',
  'counts',
  'held',
  'hold',
  'identify',
  'identity',
  'lastOrdinal',
  'letGo',
  'nextDue',
  'outcome',
  'outcomesOfOtherVersions',
  'recover',
  'retry',
  'retryTask',
  'suspects',
]);

/** Of these, the executor has told its listener by itself. */
const BRINGS_WORK = new Set(['add', 'retry', 'retryTask']);

export interface ConnectionListener {
  join(fresh: boolean): Promise<TaskQueue>;
  /** The executor has closed the queue, and is about to hear so. */
  onClosed(queue: TaskQueue): void;
}

export class Connection {
  /** Once the executor has joined. */
  queue: TaskQueue | undefined;
  /** Whether the executor has closed the queue. */
  hasClosed = false;
  /** Resolves when nothing comes any more. */
  readonly ended: Promise<void>;
  readonly #line: Duplex;
  readonly #listener: ConnectionListener;
  readonly #reader = new FrameReader();
  readonly #kept = new KeptSeqs();
  #frames: Buffer[] = [];
  #toldOfWork = false;

  constructor(line: Duplex, listener: ConnectionListener) {
    this.#line = line;
    this.#listener = listener;
    this.ended = new Promise((resolve) => line.once('close', resolve));
    line.on('error', () => {}); // then it is closed
    line.on('drain', () => line.resume());
    line.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  /** All that came in one piece is called in one tick, and so shares a transaction. */
  #onData(chunk: Buffer): void {
    for (const [number, method, ...args] of this.#reader.read(chunk) as Request[]) {
      if (BRINGS_WORK.has(method)) this.#toldOfWork = true;
      const { calling, answer = asItIs } = this.#call(method, args as never[]);
      // Answers go out in the order in which the store gives them: what is kept is agreed upon by that order.
      calling.then(
        (given) => this.#send([number, answer(given as never)]),
        (thrown: unknown) => this.#send([number, undefined, toldError(thrown)]),
      );
    }
    // Behind what the store tells of these calls, in this tick.
    if (this.#toldOfWork) queueMicrotask(() => (this.#toldOfWork = false));
  }

  #call(method: string, args: readonly never[]): Called {
    if (method === 'join') return { calling: this.#join(args[0]!) };
    const queue = this.queue!;
    switch (method) {
      case 'add': {
        const [packed, isKept, told] = args as unknown as [PackedTasks, boolean, AddTold | undefined];
        return called(queue.add(unpackTasks(packed), told as 'with outcome'), (given) => {
          const added = packAdded(given);
          this.#kept.added(packed.count, added, isKept);
          return added;
        });
      }
      case 'claim':
        return called(queue.claim(args[0]!, args[1]!), (tasks) => this.#claimed(tasks));
      case 'claimSuspect':
        return called(queue.claimSuspect(), (suspect) => this.#claimed(suspect === undefined ? [] : [suspect]));
      case 'settle': {
        const settlements = unpackSettlements(args[0]!);
        return called(queue.settle(settlements), (settled) => packSettled(settled, settlements));
      }
      case 'cancel':
        return called(queue.cancel(args[0]!), (cancellation) => {
          if (cancellation.cancelled !== undefined) this.#kept.take(cancellation.cancelled.seq);
          return cancellation;
        });
      case 'clear':
        return called(queue.clear(), () => this.#kept.clear());
      case 'outcomesAfter':
        return { calling: outcomesAfter(queue, args[0]!, args[1]!, args[2]!) };
      case 'close':
        return { calling: this.#close(queue) };
      default:
        if (!PLAIN.has(method as keyof TaskQueue)) return { calling: Promise.reject(new Error(`no call ${method}`)) };
        return { calling: (queue[method as 'retry'] as (...args: readonly never[]) => Promise<unknown>)(...args) };
    }
  }

  async #join(fresh: boolean): Promise<Joined> {
    const queue = await this.#listener.join(fresh);
    this.queue = queue;
    queue.onWork((work) => {
      if (work !== 'queued' || !this.#toldOfWork) this.#send([0, work]);
    });
    const { member, predecessor, traits } = queue;
    return { member, predecessor, traits };
  }

  #claimed(tasks: readonly ClaimedTask[]): PackedClaimed {
    return packClaimed(tasks, ({ seq, attempts, crashes, earlier }) => {
      const isAsAdded = attempts === 0 && crashes === 0 && earlier === undefined;
      return this.#kept.take(seq) && isAsAdded;
    });
  }

  async #close(queue: TaskQueue): Promise<void> {
    try {
      await queue.close();
    } finally {
      this.hasClosed = true;
      this.#listener.onClosed(queue);
    }
  }

  #send(answer: Answer): void {
    if (this.#line.destroyed) return;
    // Behind all that is answered in this turn.
    if (this.#frames.push(frameOfAnswer(answer)) === 1) nextTick(() => this.#flush());
  }

  #flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    this.#line.cork();
    for (const frame of frames) this.#line.write(frame);
    this.#line.uncork();
    if (this.#line.writableLength > MAX_UNSENT_BYTES) this.#line.pause();
  }
}

/** A call under way, and what is answered of what it gives. */
interface Called {
  calling: Promise<unknown>;
  /** Default: that, as it is. */
  answer?: (given: never) => unknown;
}

function called<T>(calling: Promise<T>, answer: (given: T) => unknown): Called {
  return { calling, answer };
}

function asItIs(given: unknown): unknown {
  return given;
}

/** One that is too large for V8 is answered, too. */
function frameOfAnswer(answer: Answer): Buffer {
  try {
    return frameOf(answer);
  } catch (error) {
    return frameOf([answer[0], undefined, toldError(error)] satisfies Answer);
  }
}

async function outcomesAfter(
  queue: TaskQueue,
  cursor: Cursor,
  choice: OutcomeChoice,
  hearsOfDamage: boolean,
): Promise<AnsweredPage> {
  const damaged: ToldError[] = [];
  const onDamaged = (error: Error) => void damaged.push(toldError(error));
  const page = await queue.outcomesAfter(cursor, hearsOfDamage ? { ...choice, onDamaged } : choice);
  return { page, damaged };
}
