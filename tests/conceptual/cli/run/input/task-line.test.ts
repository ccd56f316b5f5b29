import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainTask } from '../../../../../dist/cli/run/input/task-line.js';
import { parseTaskLine } from '../../../../../dist/cli/run/input/task-schema.js';
import { runs } from '../../../../support/runs.js';

const choices = fc.constantFrom(
  { handler: undefined, handlers: ['a', 'b'], bigIntegers: true },
  { handler: 'a', handlers: ['a', 'b'], bigIntegers: false },
  { handler: 'missing', handlers: ['a'], bigIntegers: false },
  { handler: 'a', handlers: undefined, bigIntegers: false },
);
const texts = fc.oneof(
  fc.constantFrom('', 'a', 'b', '#1', 'half \ud800', '\udc00', '\u{1f600}', 'x'.repeat(1024), 'x'.repeat(1025)),
  fc.string(),
);
const fields = fc.record(
  {
    id: fc.oneof(texts, fc.jsonValue()),
    handler: fc.oneof(texts, fc.jsonValue()),
    input: fc.jsonValue(),
    priority: fc.oneof(fc.integer(), fc.jsonValue()),
    timeout: fc.constantFrom('1s', 1),
    other: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
/** Stands for a number that JSON.stringify could not write. */
const HUGE = '9007199254740993';
const plainFields = fc.record(
  { id: texts, handler: fc.constantFrom('a', 'b', 'c'), input: fc.oneof(fc.jsonValue(), fc.constant(HUGE)) },
  { requiredKeys: ['input'] },
);
const lines = fc.oneof(
  { weight: 6, arbitrary: plainFields.map((value) => JSON.stringify(value).replace(`"${HUGE}"`, HUGE)) },
  { weight: 6, arbitrary: fields.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
);

test('where no schema is asked, it would have said the same', () => {
  let plain = 0;
  fc.assert(
    fc.property(lines, choices, (text, choice) => {
      const line = { number: 7, text, fault: undefined };
      const task = plainTask(line, choice);
      if (task === undefined) return;
      plain++;
      expect(parseTaskLine(line, choice)).toEqual(task);
    }),
    { numRuns: runs(3000) },
  );
  expect(plain).toBeGreaterThan(50);
});

test('a line of an input alone, or with a good id and handler, needs no schema', () => {
  const choice = { handler: 'a', handlers: ['a', 'b'], bigIntegers: false };
  const task = (text: string) => plainTask({ number: 1, text, fault: undefined }, choice);
  expect(task('{"input":null}')).toMatchObject({ handler: 'a', input: 'null', line: 1 });
  expect(task('{"id":"x","handler":"b","input":[1]}')).toMatchObject({ id: 'x', handler: 'b', input: '[1]' });
  expect(plainTask({ number: 1, text: '', fault: 'is not UTF-8' }, choice)).toBeUndefined();
});
