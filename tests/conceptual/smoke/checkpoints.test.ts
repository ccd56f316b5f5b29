import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkpointLine, conditionLines } from '../../../dist/cli/smoke/smoke-lines.js';
import { painter } from '../../../dist/cli/screen/color.js';
import { CHECKPOINTS, Checkpoints, type Checkpoint } from '../../../dist/smoke/checkpoints.js';

/** Every way that a smoke test can go, or a beginning of one. 3 to 6: the boot never ended. */
const LEGAL = /^(1(2(3(4(5(7)?|6(7)?)?|6(7)?)?)?)?)?$/;

function isLegal(numbers: readonly number[]): boolean {
  const text = numbers.join('');
  // An exception, or a signal, goes straight to the end, and nothing follows it.
  if (text.endsWith('8')) return text.length > 1 && LEGAL.test(text.slice(0, -1));
  return LEGAL.test(text);
}

function recorder() {
  const told: Checkpoint[] = [];
  let now = 0;
  const checkpoints = new Checkpoints(
    () => (now += 1.5),
    (checkpoint) => told.push(checkpoint),
  );
  return { told, checkpoints };
}

test('whatever is tried, only a legal order is told: 5 and 6 exclude each other, 7 follows either, 8 is the end', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 40 }), (tries) => {
      const { told, checkpoints } = recorder();
      for (const number of tries) {
        const before = told.length;
        const legal = isLegal([...told.map((checkpoint) => checkpoint.number), number]);
        if (legal) checkpoints.reach(number);
        else expect(() => checkpoints.reach(number)).toThrow('cannot follow');
        expect(told.length).toBe(before + Number(legal));
      }
      expect(checkpoints.reached).toEqual(told);
      const numbers = told.map(({ number }) => number);
      expect(numbers.includes(5) && numbers.includes(6)).toBe(false);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }),
  );
});

test('each one has its name, what there is to say, and the time at which it was reached', () => {
  const { told, checkpoints } = recorder();
  checkpoints.reach(1);
  checkpoints.reach(2, ' (8s)');
  expect(told).toEqual([
    { number: 1, text: 'started', atMs: 1.5 },
    { number: 2, text: 'timeout configured (8s)', atMs: 3 },
  ]);
  expect(CHECKPOINTS).toHaveLength(8);
});

const plain = painter(false);

test('a line is CHECKPOINT n/8, what is said, and the time since the start at its right', () => {
  const line = checkpointLine({ number: 3, text: 'starting boot', atMs: 84.6 }, plain);
  expect(line).toMatch(/^CHECKPOINT 3\/8: starting boot {2,}\+85ms\n$/);
  const other = checkpointLine({ number: 8, text: 'complete: SUCCESS', atMs: 1234.4 }, plain);
  expect(other).toMatch(/^CHECKPOINT 8\/8: complete: SUCCESS {2,}\+1234ms\n$/);
  expect(other).toHaveLength(line.length);
});

test('a line keeps its time however long it is, and steers no terminal', () => {
  const line = checkpointLine({ number: 5, text: `event \u001b[2J${'x'.repeat(500)}\nsecond line`, atMs: 1 }, plain);
  expect(line).toMatch(/ {2}\+1ms\n$/);
  expect(line).not.toContain('\u001b');
  expect(line.match(/\n/g)).toHaveLength(1);
});

test.each([
  ['complete: SUCCESS', 32, 'SUCCESS'],
  ['post-conditions PASSED', 32, 'PASSED'],
  ['post-conditions FAILED', 31, 'FAILED'],
  ['complete: EXCEPTION', 31, 'EXCEPTION'],
  ['complete: STALLED', 33, 'STALLED'],
  ['complete: CANCELLED (SIGINT)', 33, 'CANCELLED'],
])('how it went is coloured: %s', (text, code, word) => {
  const line = checkpointLine({ number: 8, text, atMs: 1 }, painter(true));
  expect(line).toContain(`\u001b[${code}m${word}\u001b[0m`);
});

test('words of an event are not coloured, though they look like how it went', () => {
  const line = checkpointLine({ number: 5, text: 'first event received (FAILED, thread 1)', atMs: 1 }, painter(true));
  expect(line).not.toContain('\u001b[31m');
});

test('conditions are a summary and a line each: how it went, how long it took, what was found', () => {
  const base = { severity: 'fail' as const, expected: 'x', durationMs: 1.234 };
  const text = conditionLines(
    [
      { ...base, name: 'first', ok: true, actual: 'fine' },
      { ...base, name: 'second', ok: false, actual: 'a', diagnostic: 'line one\nline two' },
      { ...base, name: 'third', ok: false, severity: 'warn', actual: 'slow', diagnostic: 'too \u001b[31mslow' },
    ],
    plain,
  );
  expect(text.split('\n')).toEqual([
    '  FAILED: second: line one',
    '  ok       first   1.23ms  fine',
    '  FAILED   second  1.23ms  line one',
    '  warning  third   1.23ms  too \\u001b[31mslow',
    '',
  ]);
});
