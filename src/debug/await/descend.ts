import type { Step } from '../inspection.js';
import type { AwaitGraph, Source } from './await-graph.js';
import type { LeafFinder } from './leaf/leaf-finder.js';

/** A suspended function below another one; or, where none settles the promise, what it waits for. */
export interface Below {
  /** From above to below. */
  via: readonly Step[];
  suspended: number | undefined;
  promise: number;
}

/** A chain of more steps than this (a promise that is settled by `then` upon `then` upon …) shows its first ones only. */
const MAX_STEPS = 16;

/** From a promise down to the suspended functions that settle it, or to promises that none does. */
export function lookBelow(graph: AwaitGraph, leaves: LeafFinder, awaited: number): Below[] {
  const found: Below[] = [];
  const seen = new Set<number>();
  const waiting: { promise: number; via: readonly Step[] }[] = [{ promise: awaited, via: [] }];
  while (waiting.length > 0) {
    const { promise, via } = waiting.pop()!;
    if (seen.has(promise)) continue;
    seen.add(promise);
    const suspended = graph.ownerOf(promise);
    const sources = suspended === undefined ? sourcesOf(graph, leaves, promise) : [];
    if (sources.length === 0) found.push({ via, suspended, promise });
    for (const { how, promise: source } of sources.toReversed()) {
      waiting.push({ promise: source, via: withStep(via, stepOf(how, sources)) });
    }
  }
  return found;
}

function sourcesOf(graph: AwaitGraph, leaves: LeafFinder, promise: number): readonly Source[] {
  const sources = graph.sourcesOf(promise);
  if (sources.length > 0) return sources;
  const below = leaves.promiseBelow(promise);
  return below === undefined ? [] : [{ how: 'then', promise: below }];
}

function stepOf(how: Source['how'], all: readonly Source[]): Step | undefined {
  switch (how) {
    case 'same':
      return undefined;
    case 'then':
    case 'adopted':
      return how;
    case 'race':
      // A race of one is `promise.then(resolve, reject)`.
      return all.length === 1 ? 'adopted' : 'Promise.race';
    default:
      return `Promise.${how}`;
  }
}

/** However many promises follow one another, it is one step for whoever reads it. */
function withStep(via: readonly Step[], step: Step | undefined): readonly Step[] {
  if (step === undefined) return via;
  const last = via.at(-1);
  if (!isFollowing(step) || last === undefined || !isFollowing(last)) {
    return via.length === MAX_STEPS ? via : [...via, step];
  }
  return step === last || last === 'then' ? via : [...via.slice(0, -1), 'then'];
}

function isFollowing(step: Step): boolean {
  return step === 'then' || step === 'adopted';
}
