/** Heaps made by hand, of suspended functions and what they wait for, as V8 keeps them. */
import type { HeapObject } from './heap-file.js';

/** A heap to which one adds objects and references. Objects are told by their position. */
export class MadeHeap {
  readonly objects: HeapObject[] = [];

  add(kind: string, name: string, place?: HeapObject['place']): number {
    return this.objects.push({ kind, name, references: [], ...(place && { place }) }) - 1;
  }

  refer(from: number, kind: string, name: string | number, to: number): void {
    this.objects[from]!.references!.push({ kind, name, to });
  }

  /** A property that has a number. */
  number(object: number, property: string, value: number): void {
    const [node, text] = [this.add('number', 'smi number'), this.add('string', String(value))];
    this.refer(node, 'internal', 'value', text);
    this.refer(object, 'property', property, node);
  }

  promise(): number {
    return this.add('object', 'Promise');
  }

  /** A suspended async function, written in the line `line`, and the promise that it gives. */
  suspended(name: string, line: number): { generator: number; promise: number } {
    const place = { scriptId: 1, line, column: 1 };
    const [fn, generator, promise] = [
      this.add('closure', name, place),
      this.add('object', 'Generator'),
      this.promise(),
    ];
    this.refer(generator, 'internal', 'function', fn);
    this.refer(generator, 'hidden', 3, promise);
    return { generator, promise };
  }

  /** It awaits the promise. */
  awaits(generator: number, promise: number): void {
    const context = this.add('object', 'system / Context');
    this.refer(context, 'internal', 'extension', generator);
    this.react(promise, this.builtin('AsyncFunctionAwaitResolveClosure', context));
  }

  /** The handler is called when the promise is settled; `derived` is settled with what it gives. */
  react(promise: number, handler: number | undefined, derived?: number): void {
    const reaction = this.add('hidden', 'system / PromiseReaction');
    const first = this.objects[promise]!.references!.find(({ name }) => name === 'reactions_or_result');
    // The newest comes first.
    if (first !== undefined) this.refer(reaction, 'hidden', 0, first.to);
    if (handler !== undefined) this.refer(reaction, 'hidden', 1, handler);
    if (derived !== undefined) this.refer(reaction, 'hidden', 3, derived);
    if (first === undefined) this.refer(promise, 'internal', 'reactions_or_result', reaction);
    else first.to = reaction;
  }

  /** A function of V8's own. */
  builtin(name: string, context: number): number {
    const [closure, code] = [this.add('closure', ''), this.add('code', `(${name} builtin handle)`)];
    this.refer(closure, 'internal', 'code', code);
    this.refer(closure, 'internal', 'context', context);
    return closure;
  }
}
