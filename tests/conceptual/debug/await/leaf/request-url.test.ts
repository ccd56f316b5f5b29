import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyseHeap } from '../../../../../dist/debug/await/analyse-heap.js';
import { writeHeapFile } from '../../../../support/heap-file.js';
import { MadeHeap } from '../../../../support/made-awaits.js';
import { tempDir } from '../../../../support/temp-dir.js';

interface Request {
  method?: string;
  host?: string;
  /** One in parts is put together when it is read, as V8 does it. */
  path?: string | string[];
  hostHeader?: string;
}

/** The URLs that are told of functions that each wait for the answer to a request, with how many to each. */
function urlsOf(requests: Request[]): (string | undefined)[] {
  const heap = new MadeHeap();
  const text = (value: string) => heap.add('string', value);
  for (const { method = 'GET', host = 'host', path = '/', hostHeader } of requests) {
    const promise = heap.promise();
    heap.awaits(heap.suspended('waits', 1).generator, promise);
    const capability = heap.add('object', 'system / Context');
    heap.refer(capability, 'hidden', 1, promise);
    const request = heap.add('object', 'ClientRequest');
    const listeners = heap.add('object', 'Object');
    heap.refer(listeners, 'property', 'response', heap.builtin('PromiseCapabilityDefaultResolve', capability));
    heap.refer(request, 'property', '_events', listeners);
    const parts = [path].flat().map(text);
    const whole = parts.reduce((first, second) => {
      const both = heap.add('concatenated string', '(concatenated string)');
      heap.refer(both, 'internal', 'first', first);
      heap.refer(both, 'internal', 'second', second);
      return both;
    });
    heap.refer(request, 'property', 'path', whole);
    for (const [name, value] of Object.entries({ method, host, protocol: 'http:' })) {
      heap.refer(request, 'property', name, text(value));
    }
    if (hostHeader === undefined) continue;
    const [headers, header] = [heap.add('object', 'Object'), heap.add('object', 'Array')];
    heap.refer(request, 'property', '<symbol kOutHeaders>', headers);
    heap.refer(headers, 'property', 'host', header);
    heap.refer(header, 'element', 0, text('Host'));
    heap.refer(header, 'element', 1, text(hostHeader));
  }
  const path = join(tempDir(), 'made.heapsnapshot');
  writeHeapFile(path, heap.objects);
  return analyseHeap(path)
    .branches.flatMap(({ leaves }) => leaves)
    .map(({ url, count }) => (url === undefined ? `x${count}` : url))
    .sort();
}

describe('to whom an HTTP request goes', () => {
  test('is told without what may be secret', () => {
    expect(urlsOf([{ path: '/a?token=secret' }])).toEqual(['GET http://host/a']);
    expect(urlsOf([{ host: 'password@host' }])).toEqual(['GET http://host/']);
    expect(urlsOf([{ path: ['/a', '?tok', 'en=secret'] }])).toEqual(['GET http://host/a']);
    expect(urlsOf([{ path: '//a@b/c#secret' }])).toEqual(['GET http://host//a@b/c']);
  });

  test('is told with the port where the header is that of the host, and not another one', () => {
    expect(urlsOf([{ hostHeader: 'host:8123' }])).toEqual(['GET http://host:8123/']);
    expect(urlsOf([{ hostHeader: 'host:secret' }])).toEqual(['GET http://host/']);
    expect(urlsOf([{ hostHeader: 'secret:80' }])).toEqual(['GET http://host/']);
    expect(urlsOf([{ host: '::1', hostHeader: '[::1]:8123' }])).toEqual(['GET http://[::1]:8123/']);
  });

  test('is told of requests to the same origin once, however many paths there are', () => {
    const paths = Array.from({ length: 100 }, (_, index) => ({ path: `/${index}` }));
    expect(urlsOf(paths)).toHaveLength(1);
    expect(urlsOf([...paths, { method: 'POST' }, { host: 'other' }])).toHaveLength(3);
  });

  test('is told of fifty origins, and of more of them together that they are requests', () => {
    const requests = Array.from({ length: 60 }, (_, index) => ({ host: `host${index}` }));
    const urls = urlsOf(requests);
    expect([urls.length, urls.at(-1)]).toEqual([51, 'x10']);
  });

  test('is told but for the path where that is in too many parts', () => {
    expect(urlsOf([{ path: ['/', ...Array.from({ length: 100 }, () => 'a')] }])).toEqual(['GET http://host']);
  });
});
