import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKPOINTS, type Checkpoint } from '../../../dist/smoke/checkpoints.js';
import { junitXml } from '../../../dist/smoke/junit.js';
import type { PostConditionResult } from '../../../dist/smoke/post-conditions.js';
import type { SmokeReport } from '../../../dist/smoke/smoke-test.js';
import { runs } from '../../support/runs.js';

/** What XML 1.0 allows in a document. */
const LEGAL = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

interface Node {
  name: string;
  attributes: Record<string, string>;
  children: Node[];
  text: string;
}

/** Reads XML as strictly as is needed here: everything must be understood, or it throws. */
function parseXml(xml: string): Node {
  if (!LEGAL.test(xml)) throw new Error('holds characters that XML does not allow');
  const token =
    /<\?xml[^>]*\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const root: Node = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  let end = 0;
  for (const match of xml.matchAll(token)) {
    end = match.index + match[0].length;
    const [, data, closed, opened, attributes, empty, text] = match;
    const top = open.at(-1)!;
    if (data !== undefined) top.text += data;
    else if (text !== undefined) top.text += unescape(text);
    else if (closed !== undefined) {
      if (open.pop()!.name !== closed) throw new Error(`</${closed}> closes another element`);
    } else if (opened !== undefined) {
      const node: Node = { name: opened, attributes: {}, children: [], text: '' };
      for (const [, key, value] of attributes!.matchAll(/([\w-]+)="([^"]*)"/g))
        node.attributes[key!] = unescape(value!);
      top.children.push(node);
      if (empty === '') open.push(node);
    }
  }
  if (end !== xml.length) throw new Error(`not understood: ${xml.slice(end, end + 40)}`);
  if (open.length !== 1) throw new Error('an element is not closed');
  return root.children[0]!;
}

function unescape(text: string): string {
  const known: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));|&/gi, (all, hex: string, decimal: string, name: string) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (name && known[name] !== undefined) return known[name];
    throw new Error(`a bare & in ${all}`);
  });
}

function checkpoints(...numbers: number[]): Checkpoint[] {
  return numbers.map((number) => ({ number, text: `${CHECKPOINTS[number - 1]!} …`, atMs: number * 100 }));
}

const held: PostConditionResult = {
  name: 'lock held',
  ok: true,
  severity: 'fail',
  expected: 'held',
  actual: 'held',
  durationMs: 12.5,
};

const success: SmokeReport = {
  result: 'success',
  checkpoints: checkpoints(1, 2, 3, 4, 5, 7, 8),
  postConditions: [held],
  error: undefined,
};

async function cases(report: SmokeReport) {
  const root = parseXml(await junitXml(report));
  expect(root.name).toBe('testsuites');
  const all = root.children.flatMap((suite) => suite.children);
  expect(root.attributes['tests']).toBe(String(all.length));
  return { root, byName: new Map(all.map((one) => [one.attributes['name']!, one])) };
}

const marks = (node: Node) => node.children.map(({ name }) => name).filter((name) => name !== 'system-out');

test('there is a case for each checkpoint and each post-condition; one that was not reached is skipped', async () => {
  const { root, byName } = await cases(success);
  expect([...byName.keys()]).toEqual([...CHECKPOINTS.map((title, index) => `${index + 1}/8 ${title}`), 'lock held']);
  expect(marks(byName.get('6/8 timeout, no event')!)).toEqual(['skipped']);
  expect(root.attributes).toMatchObject({ failures: '0', errors: '0', skipped: '1' });
  // The time of a checkpoint is what it took to get there from the one before.
  expect(byName.get('5/8 first event received')!.attributes['time']).toBe('0.1');
  expect(byName.get('7/8 post-conditions')!.attributes['time']).toBe('0.2');
  expect(byName.get('lock held')!.attributes['time']).toBe('0.0125');
});

test('a condition that failed is a failure with its diagnostic; one that warns has passed, and says so', async () => {
  const bad = { ...held, ok: false, actual: 'free', diagnostic: 'nobody holds it' };
  const postConditions = [
    { ...bad, name: 'bad' },
    { ...bad, name: 'slow', severity: 'warn' as const },
  ];
  const { root, byName } = await cases({ ...success, result: 'exception', error: new Error('x'), postConditions });
  const [failure] = byName.get('bad')!.children;
  expect(failure).toMatchObject({ name: 'failure', attributes: { message: 'nobody holds it' } });
  expect(byName.get('bad')!.children[1]!.text).toBe('expected: held\nactual: free');
  expect(marks(byName.get('slow')!)).toEqual([]);
  expect(byName.get('slow')!.children[0]!.text).toBe('WARNING: nobody holds it\nexpected: held\nactual: free');
  expect(root.attributes['failures']).toBe('1');
});

describe('an end that is no success', () => {
  test('by an exception is an error of the last checkpoint, with the place in the handler', async () => {
    const cause = Object.assign(new Error('no price'), { stack: 'Error: no price\n    at handler.mjs:3' });
    const error = new TypeError('task event-1 failed', { cause });
    const { byName } = await cases({ ...success, result: 'exception', checkpoints: checkpoints(1, 2, 3, 8), error });
    const last = byName.get('8/8 complete')!.children.find(({ name }) => name === 'error')!;
    expect(last.attributes).toMatchObject({ message: 'task event-1 failed', type: 'TypeError' });
    expect(last.text).toContain('at handler.mjs:3');
    for (const number of [4, 5, 6, 7]) {
      const [, node] = [...byName].find(([name]) => name.startsWith(`${number}/8`))!;
      expect(marks(node)).toEqual(['skipped']);
    }
  });

  test('by a stall is a failure of checkpoint 6', async () => {
    const report = { ...success, result: 'stalled' as const, checkpoints: checkpoints(1, 2, 3, 4, 6, 7, 8) };
    const { byName } = await cases(report);
    expect(marks(byName.get('6/8 timeout, no event')!)).toEqual(['failure']);
    expect(marks(byName.get('5/8 first event received')!)).toEqual(['skipped']);
  });

  test('by a signal is an error of the last checkpoint', async () => {
    const report = { ...success, result: 'cancelled' as const, checkpoints: checkpoints(1, 8) };
    expect(marks((await cases(report)).byName.get('8/8 complete')!)).toEqual(['error']);
  });

  test('by an error without a stack is told all the same', async () => {
    const error = Object.assign(new Error('bare'), { stack: undefined });
    const { byName } = await cases({ ...success, result: 'exception', error });
    expect(marks(byName.get('8/8 complete')!)).toEqual(['error']);
  });
});

test('whatever a text holds, the XML is valid, and what XML can hold comes through', async () => {
  const odd = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\0', '\u0007', '\u001b', ']]>', '<', '&', '"', '\uFFFE', '\uD800', '\u0085', '\n'),
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(odd, odd, odd, async (name, actual, diagnostic) => {
      const condition = { ...held, ok: false, name: `x${name}`, actual, diagnostic };
      const report = { ...success, postConditions: [condition], error: Object.assign(new Error(actual), { name }) };
      const root = parseXml(await junitXml(report));
      const [found] = root.children[1]!.children;
      expect(legal(found!.attributes['name']!)).toBe(legal(`x${name}`));
      const failure = found!.children.find((node) => node.name === 'failure')!;
      expect(legal(failure.attributes['message'] ?? '')).toBe(legal(diagnostic));
    }),
    { numRuns: runs(100) },
  );
});

/** Without what XML cannot hold, and without differences in white space, which attributes do not keep. */
function legal(text: string): string {
  return Array.from(text)
    .filter((character) => LEGAL.test(character))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}
