import { importModule } from './load-module.js';

export type Handler = (input: unknown, context: unknown) => unknown;

/** What a thread needs of the module of handlers. */
export interface HandlerModule {
  handlers: Map<string, Handler>;
}

/** The functions that a module of handlers exports, by name. */
export async function loadHandlers(moduleUrl: string): Promise<HandlerModule> {
  const exported = await importModule(moduleUrl);
  const handlers = new Map<string, Handler>();
  // A CommonJS module's names that Node cannot foresee are found only on its default export.
  const fallback = exported['default'];
  if (typeof fallback === 'object' && fallback !== null) collect(fallback as Record<string, unknown>, handlers);
  collect(exported, handlers);
  return { handlers };
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
