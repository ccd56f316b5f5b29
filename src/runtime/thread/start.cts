/**
 * What Piscina loads in each thread: it lets the ES modules in.
 *
 * Piscina tries `require` first. Given an ES module, Node 20 then aborts the
 * whole process when the thread is ended at just that instant ("IsGraphAsync
 * must be used on an instantiated module"): one in a thousand of those that
 * were ended while they loaded. CommonJS, and `import` from there, do not.
 */
type Serve = (request: unknown) => Promise<unknown>;

let serve: Serve | undefined;

async function start(request: unknown): Promise<unknown> {
  const entry = await import('./entry.js');
  serve = entry.default as Serve;
  return serve(request);
}

export = (request: unknown): Promise<unknown> => (serve ?? start)(request);
