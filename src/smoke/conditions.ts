/**
 * The post-conditions of every smoke test. Each one looks for itself: at the
 * kernel's lock, at the disk, at what this process has open.
 */
import { isDeepStrictEqual } from 'node:util';
import { ProcessLock } from '../runtime/lock/process-lock.js';
import type { TaskOutcome } from '../runtime/task-outcome.js';
import type { SmokeEvent } from './context.js';
import type { Contention, LockName } from './contender.js';
import type { Finding, PostCondition } from './post-conditions.js';
import { counted } from './words.js';

/** Things that are named in a diagnostic. */
const MAX_NAMED = 3;

export interface LockEvidence {
  lock: LockName;
  /** Lets another process try to take the lock. */
  contend(): Promise<Contention>;
}

export const lockIsHeld: PostCondition<LockEvidence> = {
  name: 'lock held',
  expected: 'held by this process, and refused to another one',
  async check({ lock, contend }) {
    const holder = new ProcessLock(lock);
    const held = holder.isLocked();
    const pid = holder.holder()?.pid;
    const { acquired, holderPid } = await contend();
    const ours = pid === process.pid && holderPid === process.pid;
    const who = ours ? `this process (pid ${process.pid})` : `pid ${pid ?? 'unknown'}`;
    const other = acquired ? 'given to another process' : 'refused to another process';
    return { ok: held && ours && !acquired, actual: `${held ? `held by ${who}` : 'free'}, and ${other}` };
  },
};

export interface EventEvidence {
  events: readonly SmokeEvent[];
  /** Outcomes heard of tasks that nobody submitted. */
  strays: readonly TaskOutcome[];
  /** The outcomes that the queue holds. */
  recorded(): Promise<readonly TaskOutcome[]>;
}

export const eventsArriveOnce: PostCondition<EventEvidence> = {
  name: 'events once',
  expected: 'each event done, told of once, recorded once',
  async check({ events, strays, recorded }) {
    const outcomes = await recorded();
    const times = new Map<string, number>();
    for (const { id } of outcomes) times.set(id, (times.get(id) ?? 0) + 1);
    const known = new Set(events.map(({ id }) => id));
    const faults = [
      ...events.flatMap((event) => faultOf(event, times.get(event.id) ?? 0)),
      ...[...strays, ...outcomes].filter(({ id }) => !known.has(id)).map(({ id }) => `${id} was never submitted`),
    ];
    const count = counted(events.length, 'event');
    if (events.length === 0) return { ok: false, actual: count, diagnostic: faults[0] ?? 'no event came' };
    return judged(faults, `${count}, each done, told of once, recorded once`);
  },
};

function faultOf({ id, told, heard }: SmokeEvent, recorded: number): string[] {
  if (told === null) return [`${id} has come to no end`];
  if (told.state !== 'done') return [`${id} is not done: ${told.error.message}`];
  if (heard.length === 1 && recorded === 1) return [];
  return [`${id} was told of ${counted(heard.length, 'time')}, recorded ${counted(recorded, 'time')}`];
}

export const queueKeepsOutcomes: PostCondition<Omit<EventEvidence, 'strays'>> = {
  name: 'queue kept',
  expected: 'opened again, the queue holds every outcome as it was told',
  async check({ events, recorded }) {
    const byId = new Map((await recorded()).map((outcome) => [outcome.id, outcome]));
    const faults: string[] = [];
    for (const { id, told, heard } of events) {
      const found = byId.get(id);
      byId.delete(id);
      if (heard.length === 0 && found === undefined) continue;
      if (found === undefined) faults.push(`${id} was told of, and is not there`);
      else if (!isDeepStrictEqual(found, heard.at(-1)) || !isAsTold(found, told)) {
        faults.push(`${id} is there as ${found.state}, and was told of otherwise`);
      }
    }
    for (const id of byId.keys()) faults.push(`${id} is there, and nobody submitted it`);
    return judged(faults, `${counted(events.filter(({ heard }) => heard.length > 0).length, 'outcome')} as told`);
  },
};

function isAsTold(found: TaskOutcome, told: SmokeEvent['told']): boolean {
  if (told?.state !== 'done') return found.state !== 'done';
  return found.state === 'done' && isDeepStrictEqual(found.result, told.result);
}

export const lockIsFree: PostCondition<Pick<LockEvidence, 'lock'>> = {
  name: 'lock free',
  expected: 'free after the stop',
  check({ lock }) {
    const left = new ProcessLock(lock);
    if (!left.isLocked()) return { ok: true, actual: 'free' };
    return { ok: false, actual: `still held by pid ${left.holder()?.pid ?? 'unknown'}` };
  },
};

export const nothingIsLeft: PostCondition<Pick<Evidence, 'left'>> = {
  name: 'nothing left',
  expected: 'no thread, handle, timer or child process after the stop',
  async check({ left }) {
    return judged(await left(), 'none');
  },
};

/** All that they look at. */
export interface Evidence extends LockEvidence, EventEvidence {
  /** What is open in this process, and was not before the boot; a description each. */
  left(): Promise<readonly string[]>;
}

/** Checked while the executor runs, in this order. */
export const WHILE_RUNNING: readonly PostCondition<Evidence>[] = [lockIsHeld, eventsArriveOnce];

/** Checked after it has stopped. */
export const AFTER_STOP: readonly PostCondition<Evidence>[] = [queueKeepsOutcomes, lockIsFree, nothingIsLeft];

function judged(faults: readonly string[], otherwise: string): Finding {
  if (faults.length === 0) return { ok: true, actual: otherwise };
  const more = faults.length > MAX_NAMED ? ` and ${faults.length - MAX_NAMED} more` : '';
  const named = `${faults.slice(0, MAX_NAMED).join(', ')}${more}`;
  return { ok: false, actual: named, diagnostic: named };
}
