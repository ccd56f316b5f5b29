import { isDeepStrictEqual } from 'node:util';
import type { TaskOutcome } from '../../runtime/task/task-outcome.js';
import type { SmokeEvent } from '../context.js';
import type { PostCondition } from '../post-conditions.js';
import { counted } from '../../base/counted.js';
import { judged } from './judged.js';

export interface EventEvidence {
  events: readonly SmokeEvent[];
  /** Outcomes heard of tasks that nobody submitted. */
  strays: readonly TaskOutcome[];
  /** The outcomes that the queue holds. */
  recorded(): Promise<readonly TaskOutcome[]>;
}

export const eventsArriveOnce: PostCondition<EventEvidence> = {
  name: 'events once',
  expected: 'each event done, reported once, recorded once',
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
    return judged(faults, `${count}, each done, reported once, recorded once`);
  },
};

function faultOf({ id, told, heard }: SmokeEvent, recorded: number): string[] {
  if (told === null) return [`${id} has come to no end`];
  if (told.state !== 'done') return [`${id} is not done: ${told.error.message}`];
  if (heard.length === 1 && recorded === 1) return [];
  return [`${id} was reported ${counted(heard.length, 'time')}, recorded ${counted(recorded, 'time')}`];
}

export const queueKeepsOutcomes: PostCondition<Omit<EventEvidence, 'strays'>> = {
  name: 'queue kept',
  expected: 'opened again, the queue holds every outcome as it was reported',
  async check({ events, recorded }) {
    const byId = new Map((await recorded()).map((outcome) => [outcome.id, outcome]));
    const faults: string[] = [];
    for (const { id, told, heard } of events) {
      const found = byId.get(id);
      byId.delete(id);
      if (heard.length === 0 && found === undefined) continue;
      if (found === undefined) faults.push(`${id} was reported, and is not there`);
      else if (!isDeepStrictEqual(found, heard.at(-1)) || !isAsTold(found, told)) {
        faults.push(`${id} is there as ${found.state}, and was reported otherwise`);
      }
    }
    for (const id of byId.keys()) faults.push(`${id} is there, and nobody submitted it`);
    return judged(faults, `${counted(events.filter(({ heard }) => heard.length > 0).length, 'outcome')} as reported`);
  },
};

function isAsTold(found: TaskOutcome, told: SmokeEvent['told']): boolean {
  if (told?.state !== 'done') return found.state !== 'done';
  return found.state === 'done' && isDeepStrictEqual(found.result, told.result);
}
