import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../../../../dist/runtime/task/codec.js';
import { ContentIds } from '../../../../../dist/cli/run/input/content-ids.js';
import { readLines, type Line } from '../../../../../dist/cli/run/input/lines.js';
import type { SourceTask } from '../../../../../dist/cli/run/input/source.js';
import { eachLine } from '../../../../../dist/cli/run/input/stdin-lines.js';
import { readTasks } from '../../../../../dist/cli/run/input/task-file.js';
import { parseTaskLine } from '../../../../../dist/cli/run/input/task-schema.js';
import type { InvalidInputError } from '../../../../../dist/base/errors.js';

/** One memory for all chunks, as a reader of files may have it. */
async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(1 + Math.max(0, ...chunks.map((chunk) => Buffer.from(chunk).length)));
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    memory.set(bytes);
    yield memory.subarray(0, bytes.length);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const linesOf = async (...chunks: (string | Uint8Array)[]): Promise<Line[]> =>
  (await collect(readLines(chunksOf(...chunks)))).flat();

describe('lines', () => {
  test('are the same however the bytes are cut', async () => {
    const texts = fc.array(
      fc.stringMatching(/^[^\r\n\uFEFF]*$/).filter((text) => Buffer.from(text).toString() === text),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.nat()), fc.constantFrom('\n', '\r\n'), async (lines, cuts, end) => {
        const bytes = Buffer.from(lines.map((line) => line + end).join(''));
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
        const read = await linesOf(...chunks);
        expect(read.map(({ text }) => text)).toEqual(lines);
        expect(read.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
      }),
    );
  });

  test('need no end at the last one, and there is none after the last end', async () => {
    expect((await linesOf('a\nb')).map(({ text }) => text)).toEqual(['a', 'b']);
    expect((await linesOf('a\nb\n')).map(({ text }) => text)).toEqual(['a', 'b']);
    expect(await linesOf('')).toEqual([]);
  });

  test('lose a byte order mark at the start of the first, and only there', async () => {
    const read = await linesOf('\uFEFFa\n\uFEFFb');
    expect(read.map(({ text }) => text)).toEqual(['a', '\uFEFFb']);
  });

  test('keep a carriage return that is not at the end', async () => {
    expect((await linesOf('a\rb\r\r\n')).map(({ text }) => text)).toEqual(['a\rb\r']);
  });

  test('that are not UTF-8 are a fault of that line alone', async () => {
    const read = await linesOf('ok\n', new Uint8Array([0x66, 0xfc, 0x72, 10]), 'ok');
    expect(read.map(({ fault }) => fault?.slice(0, 12))).toEqual([undefined, 'is not UTF-8', undefined]);
  });

  test('that are too long are a fault, to the byte, and the next one is whole again', async () => {
    const limited = async (...chunks: string[]) =>
      (await collect(readLines(chunksOf(...chunks), { maxBytes: 4 }))).flat().map(({ text, fault }) => fault ?? text);
    const tooLong = 'is longer than 4 bytes';
    expect(await limited('abcd\nabcde\nabcd\r\nabcde\r\nabcd')).toEqual(['abcd', tooLong, 'abcd', tooLong, 'abcd']);
    expect(await limited('ab', 'cd', '\n', 'ab', 'cde', '\nx')).toEqual(['abcd', tooLong, 'x']);
    expect(await limited('abcd', '\r', '\nabc', 'defgh', 'ijk', 'l\ny\n')).toEqual(['abcd', tooLong, 'y']);
    expect(await limited('abcdef')).toEqual([tooLong]);
  });

  test('that do not end are not held in memory', async () => {
    async function* endless() {
      for (let megabyte = 0; megabyte < 200; megabyte++) yield Buffer.alloc(1024 ** 2, 'x');
      yield Buffer.from('\nend\n');
    }
    let most = 0;
    const watched = (async function* () {
      for await (const chunk of endless()) {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        yield chunk;
      }
    })();
    const before = process.memoryUsage().arrayBuffers;
    const read = (await collect(readLines(watched))).flat();
    expect(read.map(({ text, fault }) => fault ?? text)).toEqual([`is longer than ${16 * 1024 ** 2} bytes`, 'end']);
    expect(most - before).toBeLessThan(120 * 1024 ** 2);
  });
});

describe('ids of tasks that have none', () => {
  const hashOf = (handler: string, input: string) =>
    createHash('sha256').update(`${handler}\0${input}`).digest('hex').slice(0, 16);

  test('are of handler and input, wherever they stand, and equal ones are counted', () => {
    const ids = new ContentIds();
    const inputs = ['"grüße"', '"b"', '"grüße"', '"grüße"', '"b"'];
    const [a, b] = [hashOf('h', '"grüße"'), hashOf('h', '"b"')];
    expect(inputs.map((input) => ids.next('h', input))).toEqual([a, b, `${a}:2`, `${a}:3`, `${b}:2`]);
    expect(ids.next('other', '"b"')).toBe(hashOf('other', '"b"'));
    expect(ids.next('h', Buffer.from('"b"'))).toBe(`${b}:3`);
  });

  test('are the same set for the same lines in any order, however many', () => {
    const count = 20_000;
    const idsOf = (order: (index: number) => number) => {
      const ids = new ContentIds();
      return Array.from({ length: count }, (_, index) => ids.next('h', String(order(index) % 15_000)));
    };
    const forth = idsOf((index) => index);
    const back = idsOf((index) => count - 1 - index);
    expect(new Set(forth).size).toBe(count);
    expect(new Set(back)).toEqual(new Set(forth));
  });
});

describe('lines as tasks', () => {
  test('have the line as input, and an empty one is a task too', async () => {
    const source = eachLine(chunksOf('a "b"\r\n\nc'), 'h');
    const tasks = await collect(source.tasks);
    expect(source.total).toBeUndefined();
    expect(tasks.map(({ input }) => input)).toEqual(['"a \\"b\\""', '""', '"c"']);
    expect(tasks.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(tasks[0]).toEqual({
      id: new ContentIds().next('h', '"a \\"b\\""'),
      handler: 'h',
      input: '"a \\"b\\""',
      priority: 0,
      timeoutMs: undefined,
      retries: undefined,
      line: 1,
    });
  });

  test('have the same ids the next time, however the input was cut', async () => {
    const ids = async (...chunks: string[]) =>
      (await collect(eachLine(chunksOf(...chunks), 'h').tasks)).map(({ id }) => id);
    expect(await ids('one\ntw', 'o\n')).toEqual(await ids('one\r\ntwo'));
    expect(new Set(await ids('same\nsame\n')).size).toBe(2);
  });

  test('come before the input has ended', async () => {
    let finish = () => {};
    async function* slow() {
      yield Buffer.from('first\nsec');
      await new Promise<void>((resolve) => (finish = resolve));
      yield Buffer.from('ond\n');
    }
    const tasks = eachLine(slow(), 'h').tasks[Symbol.asyncIterator]();
    expect((await tasks.next()).value).toMatchObject({ input: '"first"' });
    const second = tasks.next();
    await new Promise((resolve) => setImmediate(resolve));
    finish();
    expect((await second).value).toMatchObject({ input: '"second"' });
  });

  test('stop at a line that is no text, naming it', async () => {
    const read: SourceTask[] = [];
    const reading = (async () => {
      for await (const task of eachLine(chunksOf('a\n', new Uint8Array([0xff, 10]), 'b\n'), 'h').tasks) read.push(task);
    })();
    await expect(reading).rejects.toThrow(/standard input:\n {2}line 2: is not UTF-8/);
    expect(read).toHaveLength(1);
  });
});

describe('a task file', () => {
  const choice = { handler: 'resize', handlers: ['resize', 'hash'], bigIntegers: false };
  const sourceOf = (text: string, other = {}) =>
    readTasks('tasks.ndjson', () => chunksOf(text), { ...choice, ...other });
  const tasksOf = async (text: string, other = {}) => collect((await sourceOf(text, other)).tasks);
  const faultsOf = async (text: string, other = {}): Promise<string[]> =>
    sourceOf(text, other).then(
      () => [],
      (error: InvalidInputError) => error.faults.map(({ where, problem }) => `${where}: ${problem}`),
    );

  test('gives each line as a task, with what the line leaves out', async () => {
    const full = '{"id":"a","handler":"hash","input":{"n":[1,null]},"priority":-5,"timeout":"2s","retries":0}';
    const short = '{"input":null}';
    const source = await sourceOf(`\uFEFF${full}\r\n\n  \t\n${short}`);
    expect(source.total).toBe(2);
    expect(await collect(source.tasks)).toEqual([
      { id: 'a', handler: 'hash', input: '{"n":[1,null]}', priority: -5, timeoutMs: 2_000, retries: 0, line: 1 },
      {
        id: new ContentIds().next('resize', 'null'),
        handler: 'resize',
        input: 'null',
        priority: 0,
        timeoutMs: undefined,
        retries: undefined,
        line: 4,
      },
    ]);
  });

  test('knows a line again whose options have changed, or whose place', async () => {
    const before = await tasksOf('{"input":1,"timeout":"1s"}\n{"input":2}\n{"input":1}\n');
    const after = await tasksOf('{"input":2,"priority":3}\n{"input":1}\n{"handler":"resize","input":1}\n');
    expect(after.map(({ id }) => id)).toEqual([before[1]!.id, before[0]!.id, before[2]!.id]);
  });

  test('holds any JSON as input, unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (input) => {
        const [task] = await tasksOf(`{"input":${input}}`);
        expect(JSON.parse(task!.input as string)).toEqual(JSON.parse(input));
      }),
    );
  });

  test('gives nothing if a line in the middle is bad, and names all that is', async () => {
    expect(
      await faultsOf('{"input":1}\n{"input":}\n{"inptu":1}\n{"input":2,"prio":1,"retries":-1}\n{"input":3}'),
    ).toEqual([
      'line 2: column 10: "}" where a value should be',
      'line 3: input is missing',
      'line 3: inptu is unknown; did you mean "input"?',
      'line 4: retries must be a whole number from 0 to 1000, got -1',
      'line 4: prio is unknown',
    ]);
    await expect(sourceOf('{"input":}')).rejects.toMatchObject({
      code: 'ERR_INVALID_TASK',
      message: expect.stringContaining('tasks.ndjson: no task was taken') as string,
    });
  });

  test.each([
    ['{"input":1,"id":""}', 'id is empty'],
    ['{"input":1,"id":"a\\ud800"}', 'id holds half of a surrogate pair, which is not a character: "a\\ud800"'],
    ['{"input":1,"handler":"\\udc00"}', 'handler holds half of a surrogate pair, which is not a character: "\\udc00"'],
    ['{"input":1,"id":"#1"}', 'id starts with "#", as only the ids that the queue gives do'],
    [`{"input":1,"id":"${'x'.repeat(1025)}"}`, 'id is longer than 1024 characters'],
    ['{"input":1,"id":7}', 'id must be a string, got 7'],
    ['{"input":1,"handler":""}', 'handler must be the name of a handler'],
    ['{"input":1,"handler":"hsah"}', 'handler "hsah" is none of resize, hash; did you mean "hash"?'],
    ['{"input":1,"priority":1.5}', 'priority must be a whole number from -1000000 to 1000000, got 1.5'],
    ['{"input":1,"timeout":30}', 'timeout must be a string with a unit, such as "500ms" or "30s", got 30'],
    ['{"input":1,"timeout":"30"}', 'timeout "30" has no unit: write 500ms, 2s, 5m, 1h or 1d'],
    ['{"input":1,"timeout":"0s"}', 'timeout must be 1ms to 24d 20h, got "0s"'],
    ['{"input":1,"__proto__":{"id":"x"}}', '__proto__ is unknown'],
    [
      '{"input":{"users":[{"id":1},{"id":1852371234567890123}]}}',
      'input.users[1].id is 1852371234567890123, and would become 1852371234567890200: write it as a text, or give --big-integers',
    ],
    ['{"input":{"a b":1e400}}', 'input["a b"] is 1e400, and would become Infinity: write it as a text'],
    ['{"input":1,"retries":1e-400}', 'retries is 1e-400, and would become 0: write it as a text'],
    ['7', 'must be an object, got 7'],
    ['null', 'must be an object, got null'],
    ['[{"input":1}]', 'must be an object, got [{"input":1}]'],
  ])('refuses %s', async (line, problem) => {
    expect(await faultsOf(line)).toEqual([`line 1: ${problem}`]);
  });

  test('refuses 5,000 levels of nesting, by line and column', async () => {
    expect(await faultsOf(`{"input":1}\n{"input":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)).toEqual([
      'line 2: column 73: level 65 of nesting begins here, and 64 are allowed',
    ]);
  });

  test('names each number that would be another one, in every line', async () => {
    const numbers = Array.from({ length: 30 }, () => '9007199254740993').join(',');
    const faults = await faultsOf(`{"input":9007199254740993}\n{"input":[${numbers}]}\n`);
    expect(faults[0]).toMatch(/^line 1: input is 9007199254740993, and would become 9007199254740992: /);
    expect(faults[1]).toMatch(/^line 2: input\[0\] is 9007199254740993/);
    expect(faults).toHaveLength(21);
  });

  test('keeps whole numbers of any length as BigInts where that is asked for', async () => {
    const line = '{"id":"1","input":{"id":1852371234567890123,"small":7,"text":"1852371234567890123"}}';
    const [task] = await tasksOf(line, { bigIntegers: true });
    expect(decode(task!.input)).toEqual({ id: 1852371234567890123n, small: 7, text: '1852371234567890123' });
    expect(await faultsOf('{"input":1852371234567890123.5}', { bigIntegers: true })).toEqual([
      'line 1: input is 1852371234567890123.5, and would become 1852371234567890200: write it as a text',
    ]);
  });

  test('keeps the sign of a zero', async () => {
    const [task] = await tasksOf('{"input":[-0,-0.0,0]}');
    expect(decode(task!.input)).toEqual([-0, -0, 0]);
  });

  test('leaves any handler open where the handlers are not known', async () => {
    const [task] = await tasksOf('{"input":1,"handler":"other"}', { handlers: undefined });
    expect(task).toMatchObject({ handler: 'other' });
  });

  test('says so where a line names no handler and the run has none', async () => {
    expect(await faultsOf('{"input":1}', { handler: undefined })).toEqual([
      'line 1: handler is missing, and --handler gives none for all',
    ]);
  });

  test('shows ten of many handlers', async () => {
    const handlers = Array.from({ length: 14 }, (_, index) => `handler${index}`);
    const [fault] = await faultsOf('{"input":1,"handler":"qqq"}', { handlers });
    expect(fault).toMatch(/handler8, handler9 and 4 more$/);
  });

  test('tells twenty faults and the number of the others', async () => {
    const faults = await faultsOf(`${'{"input":1}\n'.repeat(3)}${'{}\n'.repeat(1_500)}`);
    expect(faults).toHaveLength(21);
    expect(faults[0]).toBe('line 4: input is missing');
    expect(faults.at(-1)).toBe('and 1,480 more: the next at line 24');
  });

  test.each(['[{"input":1},\n{"input":2}]', '{\n"input": 1\n}', '[\n'])(
    'that is one JSON document is recognised: %j',
    async (text) => {
      await expect(sourceOf(text)).rejects.toMatchObject({ hint: expect.stringContaining('jq -c') as string });
    },
  );

  test('with a fault of another kind has no such hint', async () => {
    await expect(sourceOf('{"input":1}\n[\n')).rejects.toMatchObject({ hint: undefined });
    await expect(sourceOf('{}')).rejects.toMatchObject({ hint: undefined });
  });

  test('that is empty is no fault', async () => {
    expect(await tasksOf('')).toEqual([]);
    expect(await tasksOf('\n \n')).toEqual([]);
  });

  /** A file that is read as one text by the check, and as another afterwards. */
  const changing = (checked: string, given: string) => {
    const readings = [checked, given];
    return readTasks('tasks.ndjson', () => chunksOf(readings.shift()!), choice);
  };

  test('that grows after the check gives what was checked', async () => {
    const source = await changing('{"input":1}\n', '{"input":1}\n{"input":2}\n{"inp');
    expect((await collect(source.tasks)).map(({ input }) => input)).toEqual(['1']);
  });

  test('that is spoilt after the check is told with the line', async () => {
    const source = await changing('{"input":1}\n{"input":2}\n', '{"input":1}\n{"inp\n');
    await expect(collect(source.tasks)).rejects.toThrow(/tasks.ndjson was changed while it was read:\n {2}line 2: /);
  });
});

describe('a fault in JSON', () => {
  const toldOf = (text: string) => {
    const rules = { handler: 'h', handlers: undefined, bigIntegers: false };
    return (parseTaskLine({ number: 1, text, fault: undefined }, rules) as string[]).join();
  };

  test.each([
    ['{"a":1,}', 'column 8: "}" where a field name in double quotes should be'],
    ['{a:1}', 'column 2: "a" where a field name in double quotes or "}" should be'],
    ['{"a" 1}', 'column 6: "1" where ":" should be'],
    ['[1 2]', 'column 4: "2" where "," or the closing bracket should be'],
    ['[1}', 'column 3: "}" where "," or the closing bracket should be'],
    ['{"a":1]', 'column 7: "]" where "," or the closing bracket should be'],
    ['[1,]', 'column 4: "]" where a value should be'],
    ['[,', 'column 2: "," where a value or "]" should be'],
    ['{"a":tru}', 'column 6: "tru" where a value should be'],
    ['{} x', 'column 4: "x" where the end should be'],
    ['{}{}', 'column 3: "{" where the end should be'],
    ['{"a":', 'column 6: it ends where a value should be'],
    ["  {'a'}", 'column 4: "\'" where a field name in double quotes or "}" should be'],
    ['😀', 'column 1: "😀" where a value should be'],
    ['01', 'column 1: "01" where a value should be'],
    ['{"a" "b"}', 'column 6: "\\"" where ":" should be'],
    ['"a', 'column 1: a string that does not end, or holds a control character or an unknown escape'],
    ['{"\t":1}', 'column 2: a string that does not end, or holds a control character or an unknown escape'],
    ['"\\x"', 'column 1: a string that does not end, or holds a control character or an unknown escape'],
    ['x'.repeat(2_000_000), 'is not JSON'],
  ])('%.20s', (text, told) => {
    expect(toldOf(text)).toBe(told);
  });

  test('is never before what JSON could still be, nor behind it', () => {
    // A prefix is good if it can be completed: JSON.parse then complains of nothing but its end.
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('}', ']', ',', ':', 'x', '\u0001'), (json, at, wrong) => {
        const place = at % (json.length + 1);
        const text = json.slice(0, place) + wrong + json.slice(place);
        fc.pre(!isJson(text));
        const told = toldOf(text);
        const column = Number(/^column (\d+):/.exec(told)![1]);
        expect(column).toBeGreaterThan(0);
        expect(column).toBeLessThanOrEqual(text.length + 1);
        // What stands before the column is the start of a JSON text.
        const before = text.slice(0, column - 1);
        if (before.trim() !== '') expect(isStartOfJson(before), `${text} => ${told}`).toBe(true);
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** By trying what could complete it. */
function isStartOfJson(text: string): boolean {
  const open: string[] = [];
  for (const token of text.match(/"(?:[^"\\]|\\.)*"|[[\]{}]/g) ?? []) {
    if (token === '{' || token === '[') open.push(token === '{' ? '}' : ']');
    else if (token === '}' || token === ']') open.pop();
  }
  const closing = open.reverse().join('');
  return ['', '0', ':0', '"a":0', ',0'].some((ending) => isJson(text + ending + closing));
}
