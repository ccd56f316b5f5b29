import { importModule } from '../../system/load-module.js';

export type Handler = (input: unknown, context: unknown) => unknown;

/** What a thread needs of the module of handlers. */
export interface HandlerModule {
  handlers: Map<string, Handler>;
  setup: ThreadHook | undefined;
  teardown: ThreadHook | undefined;
}

/** What `setup` and `teardown` of a module get. */
export interface ThreadContext {
  /** Number of the thread in its pool, from 1. One that is replaced hands its number on, once it is torn down. */
  readonly thread: number;
}

type ThreadHook = (context: ThreadContext) => unknown;

/** The functions that a module of handlers exports, by name; `setup` and `teardown` are none of them. */
export async function loadHandlers(moduleUrl: string): Promise<HandlerModule> {
  const exported = await importModule(moduleUrl);
  const handlers = new Map<string, Handler>();
  // A CommonJS module's names that Node cannot foresee are found only on its default export.
  const fallback = exported['default'];
  if (typeof fallback === 'object' && fallback !== null) collect(fallback as Record<string, unknown>, handlers);
  collect(exported, handlers);
  const setup = handlers.get('setup') as ThreadHook | undefined;
  const teardown = handlers.get('teardown') as ThreadHook | undefined;
  handlers.delete('setup');
  handlers.delete('teardown');
  return { handlers, setup, teardown };
}

/** Node has it since 20; the types of the language that is compiled to do not. */
function toWellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

function collect(source: Record<string, unknown>, into: Map<string, Handler>): void {
  for (const name of Object.keys(source)) {
    const value = source[name];
    // A name that is no text (half of a surrogate pair) would be another one in the queue.
    if (typeof value === 'function' && name === toWellFormed(name)) into.set(name, value as Handler);
  }
}
