/** To whom an HTTP request goes: `GET http://127.0.0.1:8123/slow`. Passwords and queries are left out: they may hold secrets. */
import type { HeapGraph } from '../../heap/heap-graph.js';

/** V8 puts texts together when they are read: of one in more parts than so many levels, nothing is told. */
const MAX_LEVELS = 16;

/** @param request a `ClientRequest` */
export function urlOfClientRequest(heap: HeapGraph, request: number): string | undefined {
  const property = (name: string) => textOf(heap, heap.target(request, 'property', name));
  const [method, protocol, host] = [property('method'), property('protocol'), property('host')];
  if (method === undefined || protocol === undefined || host === undefined) return undefined;
  // Of later versions of Node, `path` is an accessor.
  const path = property('path') ?? property('<symbol kPath>') ?? '';
  return told(method, `${protocol}//${withPort(heap, request, host)}${path.startsWith('/') ? path : ''}`);
}

/** @param request what `fetch` makes of its arguments */
export function urlOfFetch(heap: HeapGraph, request: number): string | undefined {
  const method = textOf(heap, heap.target(request, 'property', 'method'));
  const url = follow(heap, request, ['url', '#context', 'href']);
  const href = textOf(heap, url);
  return method === undefined || href === undefined ? undefined : told(method, href);
}

/** The part by which requests are told from each other: there may be as many paths as there are requests. */
export function originOf(url: string): string {
  return /^\S+ \w+:\/\/[^/]*/.exec(url)![0];
}

/** The port is no property of a request. It is in the header `Host`, unless the program has put something else there. */
function withPort(heap: HeapGraph, request: number, host: string): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const header = follow(heap, request, ['<symbol kOutHeaders>', 'host']);
  const parts = header === undefined ? [] : heap.references(header);
  const value = textOf(heap, parts.find(({ kind, name }) => kind === 'element' && name === '1')?.node);
  return value?.startsWith(`${name}:`) && /^\d+$/.test(value.slice(name.length + 1)) ? value : name;
}

/** Of what is fetched from nowhere (`data:`), the URL is all that there is: it is not told. */
function told(method: string, url: string): string | undefined {
  const [, scheme, rest] = /^(https?:\/\/)([^?#]*)/.exec(url) ?? [];
  return scheme === undefined ? undefined : `${method} ${scheme}${rest!.replace(/^[^/]*@/, '')}`;
}

function follow(heap: HeapGraph, from: number, properties: readonly string[]): number | undefined {
  let at: number | undefined = from;
  for (const property of properties) at = at === undefined ? undefined : heap.target(at, 'property', property);
  return at;
}

function textOf(heap: HeapGraph, node: number | undefined, levels = MAX_LEVELS): string | undefined {
  if (node === undefined || levels === 0) return undefined;
  if (heap.kind(node) === 'string') return heap.name(node);
  if (heap.kind(node) !== 'concatenated string') return undefined;
  const [first, second] = ['first', 'second'].map((part) =>
    textOf(heap, heap.target(node, 'internal', part), levels - 1),
  );
  return first === undefined || second === undefined ? undefined : first + second;
}
