/** What tasks print: whatever the pieces, each line is read as it was printed, or is counted among what was dropped. */
import { appendFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputFile, outputFiles, type PrintedPiece } from '../../../../dist/runs/output/output-line.js';
import { OutputLog } from '../../../../dist/runs/output/output-log.js';
import { readOutput, type Printed } from '../../../../dist/runs/output/read-output.js';
import { Pieces } from '../../../../dist/runs/output/record-output.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';

const source = (task: string, thread = 1) => ({
  thread,
  stream: 'stdout' as const,
  by: [[task, 1]] as PrintedPiece['by'],
});

const unwritable = (error: Error) => {
  throw error;
};

async function read(dir: string): Promise<Printed[]> {
  const all: Printed[] = [];
  for await (const printed of readOutput(dir)) all.push(printed);
  return all;
}

const texts = (printed: readonly Printed[]) => printed.flatMap((one) => (one.kind === 'line' ? [one.line.text] : []));

describe('lines', () => {
  test('are those that each thread printed, whatever the pieces they came in, and when they were written', async () => {
    const piece = fc.record({
      thread: fc.integer({ min: 1, max: 3 }),
      text: fc.string({ unit: fc.constantFrom('a', '\n', '😀', '"', '\u001b'), maxLength: 12 }),
      written: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (printed) => {
        const dir = tempDir();
        const log = new OutputLog(dir, { onUnwritable: unwritable });
        const pieces = new Pieces();
        for (const { thread, text, written } of printed) {
          pieces.add(text, source('a', thread));
          if (written) log.write(pieces.take());
        }
        log.write(pieces.take());
        log.end();
        const all = await read(dir);
        for (const thread of [1, 2, 3]) {
          const whole = printed.map((one) => (one.thread === thread ? one.text : '')).join('');
          const own = all.filter((one) => one.kind === 'line' && one.line.thread === thread);
          expect(texts(own)).toEqual(whole.split('\n').slice(0, whole.endsWith('\n') || whole === '' ? -1 : undefined));
        }
      }),
      { numRuns: runs(100) },
    );
  });

  test('that another task goes on with are two', () => {
    const pieces = new Pieces();
    pieces.add('of a', source('a'));
    pieces.add('of b\n', source('b'));
    expect(pieces.take()).toMatchObject([
      { open: true, by: [['a', 1]], text: 'of a' },
      { by: [['b', 1]], text: 'of b' },
    ]);
  });

  test('of any length come back whole up to a million characters, and in parts beyond', async () => {
    const dir = tempDir();
    const log = new OutputLog(dir, { onUnwritable: unwritable });
    const pieces = new Pieces();
    pieces.add(`${'x'.repeat(500_000)}\n${'y'.repeat(1_500_000)}\n`, source('a'));
    log.write(pieces.take());
    log.end();
    const [first, ...parts] = texts(await read(dir));
    expect(first).toBe('x'.repeat(500_000));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.join('')).toBe('y'.repeat(1_500_000));
  });
});

describe('the files', () => {
  const line = (number: number): PrintedPiece => ({ at: 1, ...source('a'), text: `line ${number}` });

  test('stay within their bounds, the oldest goes first, and what went is counted to the line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 }), async (count, restarts) => {
        const dir = tempDir();
        let log = new OutputLog(dir, { maxBytes: 1000, maxFiles: 3, onUnwritable: unwritable });
        for (let number = 1; number <= count; number++) {
          log.write([line(number)]);
          if (number % restarts === 0) {
            log.end();
            log = new OutputLog(dir, { maxBytes: 1000, maxFiles: 3, onUnwritable: unwritable });
          }
        }
        log.end();
        const sizes = outputFiles(dir).map((number) => statSync(outputFile(dir, number)).size);
        expect(sizes.length).toBeLessThanOrEqual(3);
        for (const size of sizes) expect(size).toBeLessThanOrEqual(1000);
        const all = await read(dir);
        const dropped = all.reduce((sum, one) => sum + (one.kind === 'dropped' ? one.lines : 0), 0);
        const kept = texts(all);
        expect(dropped + kept.length).toBe(count);
        expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => `line ${dropped + index + 1}`));
        expect(all.findIndex((one) => one.kind === 'dropped')).toBe(dropped === 0 ? -1 : 0);
      }),
      { numRuns: runs(20) },
    );
  });

  test('are not there before anything is printed, and are this user’s alone', () => {
    const dir = tempDir();
    const log = new OutputLog(dir, { onUnwritable: unwritable });
    log.write([]);
    expect(readdirSync(dir)).toEqual([]);
    log.write([line(1)]);
    log.end();
    expect(statSync(outputFile(dir, 1)).mode & 0o777).toBe(0o600);
  });

  test('that an executor was killed over are gone on with; the torn line alone is lost, and told', async () => {
    const dir = tempDir();
    const first = new OutputLog(dir, { onUnwritable: unwritable });
    first.write([line(1)]);
    first.end();
    appendFileSync(outputFile(dir, 1), '{"at":1,"thread":1,"str');
    const second = new OutputLog(dir, { onUnwritable: unwritable });
    second.write([line(2)]);
    second.end();
    const all = await read(dir);
    expect(texts(all)).toEqual(['line 1', 'line 2']);
    expect(all.map(({ kind }) => kind)).toEqual(['line', 'damaged', 'line']);
  });

  test('are never written through a link; that nothing is recorded any more is told once', () => {
    const dir = tempDir();
    const victim = join(tempDir(), 'victim');
    writeFileSync(victim, '');
    symlinkSync(victim, outputFile(dir, 1));
    const told: string[] = [];
    const log = new OutputLog(dir, { onUnwritable: ({ message }) => told.push(message) });
    log.write([line(1)]);
    log.write([line(2)]);
    expect(told).toEqual([expect.stringContaining('ELOOP')]);
    expect(statSync(victim).size).toBe(0);
  });

  test('are followed over their rotation, to the last line that was written before the end', async () => {
    const dir = tempDir();
    const log = new OutputLog(dir, { maxBytes: 1000, maxFiles: 100, onUnwritable: unwritable });
    let written = 0;
    const goesOn = () => {
      for (let more = 0; more < 7; more++) log.write([line(++written)]);
      return written < 200;
    };
    const seen: Printed[] = [];
    for await (const printed of readOutput(dir, { goesOn })) seen.push(printed);
    log.end();
    expect(texts(seen)).toEqual(Array.from({ length: written }, (_, index) => `line ${index + 1}`));
  });
});
