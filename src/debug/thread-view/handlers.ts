import type { AwaitBranch, Place } from '../inspection.js';
import type { Session } from '../inspector/session.js';
import { callWith, placeAmong, propertiesOf, runAndHold } from './ask.js';
import { handlerNames, taskHandlers } from './in-target.js';
import type { Scripts } from './scripts.js';

/**
 * Puts the handler of each task below it, where no call of it is suspended: it
 * is no async function, or it awaits what nothing can settle any more, and was
 * collected as garbage. Then where it is written is the nearest one can tell.
 */
export async function addHandlers(session: Session, tops: readonly AwaitBranch[], scripts: Scripts): Promise<void> {
  const bare = tops.filter((top) => handlerOf(top) !== undefined && !awaitsCall(top));
  if (bare.length === 0) return;
  const places = await placesOfHandlers(session, scripts);
  for (const top of bare) {
    const name = handlerOf(top)!;
    const { count, children, leaves, circular } = top;
    const definedAt = places.get(name) ?? null;
    top.children = [{ name, count, at: null, definedAt, via: [], children, leaves, circular }];
    top.leaves = [];
  }
}

/** Of the tasks of a branch, if it is the same one for all. */
function handlerOf({ tasks = [] }: AwaitBranch): string | undefined {
  const [first] = tasks;
  return tasks.every(({ handler }) => handler === first?.handler) ? first?.handler : undefined;
}

/** Whether what is awaited is a suspended function, as it is. */
function awaitsCall({ children, leaves }: AwaitBranch): boolean {
  return children.length === 1 && leaves.length === 0 && children[0]!.via.length === 0;
}

async function placesOfHandlers(session: Session, scripts: Scripts): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  try {
    const array = await runAndHold(session, taskHandlers);
    const names = await callWith(session, array, handlerNames);
    const { own } = await propertiesOf(session, array);
    for (const [index, name] of names.entries()) {
      const fn = own.find((property) => property.name === String(index))?.value;
      if (places.has(name) || fn === undefined) continue;
      const at = placeAmong((await propertiesOf(session, fn)).internal, '[[FunctionLocation]]');
      const place = at && scripts.placeOf(at);
      if (place !== undefined) places.set(name, place);
    }
  } catch {
    // The thread has ended meanwhile: their names must do.
  }
  return places;
}
