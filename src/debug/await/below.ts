import type { Step } from '../inspection.js';
import type { AwaitGraph } from './await-graph.js';

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
export function lookBelow(graph: AwaitGraph, awaited: number): Below[] {
  const found: Below[] = [];
  const seen = new Set<number>();
  const waiting: { promise: number; via: readonly Step[] }[] = [{ promise: awaited, via: [] }];
  while (waiting.length > 0) {
    const { promise, via } = waiting.pop()!;
    if (seen.has(promise)) continue;
    seen.add(promise);
    const suspended = graph.ownerOf(promise);
    const sources = graph.sourcesOf(promise);
    if (suspended !== undefined || sources.length === 0) {
      found.push({ via, suspended, promise });
      continue;
    }
    for (const { how, promise: source } of sources.toReversed()) {
      waiting.push({
        promise: source,
        via: withStep(via, how === 'then' || how === 'adopted' ? how : `Promise.${how}`),
      });
    }
  }
  return found;
}

/** One `then` after the other is one step for whoever reads it. */
function withStep(via: readonly Step[], step: Step): readonly Step[] {
  const again = via.at(-1) === step && (step === 'then' || step === 'adopted');
  return again || via.length === MAX_STEPS ? via : [...via, step];
}
