import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineRelay } from '../../../../dist/runtime/supervisor/line-relay.js';
import { runs } from '../../../support/runs.js';
import { waitFor } from '../../../support/wait-for.ts';

function collector(): { target: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const target = new Writable({
    highWaterMark: 4,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
  return { target, text: () => Buffer.concat(chunks).toString() };
}

async function die(source: PassThrough): Promise<void> {
  source.end();
  await waitFor('the source to be read to its end', () => source.readableEnded);
}

test('of executors that die anywhere, every line is passed on once and whole, if each goes on after the lines before', async () => {
  const line = fc.stringMatching(/^[a-zü]{0,12}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.nat(40), { maxLength: 4 }),
      async (lines, deaths) => {
        const { target, text } = collector();
        const relay = new LineRelay(target);
        for (const diesAfter of [...deaths, Infinity]) {
          const rest = Buffer.from(
            lines
              .slice(relay.lines)
              .map((each) => `${each}\n`)
              .join(''),
          );
          const source = new PassThrough();
          relay.pass(source);
          // In pieces that know nothing of lines, or of characters.
          const lived = rest.subarray(0, Math.min(rest.length, diesAfter));
          for (let at = 0; at < lived.length; at += 3) source.write(lived.subarray(at, at + 3));
          await die(source);
        }
        await new Promise<void>((resolve) => target.end(resolve));
        expect(text()).toBe(lines.map((each) => `${each}\n`).join(''));
        expect(relay.lines).toBe(lines.length);
      },
    ),
    { numRuns: runs(60) },
  );
});

test('when the target takes no more, the source is closed, and so is every later one', async () => {
  const target = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
  const relay = new LineRelay(target);
  expect(relay.targetLost).toBe(false);
  const source = new PassThrough();
  relay.pass(source);
  source.write('line\n');
  await waitFor('the source to be closed', () => source.destroyed);
  expect(relay.targetLost).toBe(true);
  const next = new PassThrough();
  relay.pass(next);
  expect(next.destroyed).toBe(true);
});
