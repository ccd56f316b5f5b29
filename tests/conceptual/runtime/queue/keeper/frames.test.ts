import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, frameOf } from '../../../../../dist/runtime/queue/keeper/frames.js';

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.record({ a: fc.option(fc.double(), { nil: undefined }), b: fc.array(fc.string()) }),
  fc.constant('x'.repeat(100_000)),
);

/** Cuts bytes at random places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

test('values come whole and in order, in whatever pieces they arrive', () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(fc.nat()), (values, cuts) => {
      const reader = new FrameReader();
      const bytes = Buffer.concat(values.map((each) => frameOf(each)));
      const read = pieces(bytes, cuts).flatMap((piece) => reader.read(piece));
      expect(read).toEqual(values);
    }),
  );
});

test('text passes as it is, half a pair of surrogates too', () => {
  const text = 'a\ud800é\u0000漢';
  expect(new FrameReader().read(frameOf(text))).toEqual([text]);
});

test('bytes are a part of nothing larger: a few that are kept do not keep the frame', () => {
  const [read] = new FrameReader().read(frameOf([new Uint8Array([1, 2]), Buffer.from('xyz'), 'y'.repeat(1e6)]));
  const [bytes, more] = read as [Uint8Array, Uint8Array];
  expect(bytes).toEqual(new Uint8Array([1, 2]));
  expect(bytes.buffer.byteLength).toBe(2);
  expect(more.constructor).toBe(Uint8Array);
});

test('of a view, no more is written than it shows', () => {
  const secret = Buffer.from('before|shown|after');
  const frame = frameOf(secret.subarray(7, 12));
  expect(frame.includes('shown')).toBe(true);
  expect(frame.includes('before')).toBe(false);
  expect(frame.includes('after')).toBe(false);
});
