import type { Draw } from '../events/event-set.js';
import type { Plan } from './plan.js';
import { plannedOffsets } from './patterns.js';
import { drawOf } from './random.js';

/** That an event is to come. */
export interface Arrival {
  /** Milliseconds from the start, fractions included. */
  at: number;
  type: string;
  /** Number within its type, from 1. */
  n: number;
}

/** Names the event that arrives, and the task that it becomes. */
export function eventIdOf({ type, n }: Pick<Arrival, 'type' | 'n'>): string {
  return `${type}_${n}`;
}

/** All arrivals of a plan, in their order. What they bring is made by `eventMaker`. */
export function* planArrivals(plan: Plan): Generator<Arrival, void, undefined> {
  const { count = Infinity, durationMs = Infinity } = plan;
  const nextType = types(plan);
  // No object: a type may be called `constructor`.
  const made = new Map<string, number>();
  let planned = 0;
  for (const at of plannedOffsets(plan, drawOf(plan.seed, 'times'))) {
    if (planned === count || at >= durationMs) return;
    planned++;
    const type = nextType();
    const n = (made.get(type) ?? 0) + 1;
    made.set(type, n);
    yield { at, type, n };
  }
}

function types({ pattern, events, seed }: Plan): () => string {
  const names = Object.keys(events);
  if (pattern === 'sequential') {
    let turn = 0;
    return () => names[turn++ % names.length]!;
  }
  return weighted(
    names.map((name) => ({ name, weight: events[name]!.weight ?? 1 })),
    drawOf(seed, 'types'),
  );
}

function weighted(types: readonly { name: string; weight: number }[], draw: Draw): () => string {
  const total = types.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let left = draw.float() * total;
    // Rounding may leave a rest behind the last one, which is then its own.
    return (types.find(({ weight }) => (left -= weight) < 0) ?? types.at(-1)!).name;
  };
}
