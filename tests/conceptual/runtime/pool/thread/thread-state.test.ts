import { expect, test } from 'vitest';
import { isOver, mayFollow, type ThreadState } from '../../../../../dist/runtime/pool/thread/thread-state.js';

const STATES: readonly ThreadState[] = [
  'loading',
  'loaded',
  'accepting',
  'retired',
  'tearing-down',
  'dying',
  'lost',
  'ended',
];

const followersOf = (state: ThreadState) => STATES.filter((next) => mayFollow(state, next));

test('a thread that is retired, torn down or over never takes batches again', () => {
  expect(STATES.filter((state) => mayFollow(state, 'accepting'))).toEqual(['loaded']);
});

test('what is over stays over, and a thread that was ended is not given up besides', () => {
  expect(STATES.filter(isOver)).toEqual(['dying', 'lost', 'ended']);
  expect(followersOf('dying')).toEqual(['lost']);
  expect(followersOf('lost')).toEqual([]);
  expect(followersOf('ended')).toEqual([]);
});

test('a thread that loads dies over it, or is ended: it has nothing that others would have to take over', () => {
  expect(followersOf('loading')).toEqual(['loaded', 'ended']);
});

test('a thread may be ended, and may die, at any time after it has loaded; no state follows itself', () => {
  for (const state of ['loaded', 'accepting', 'retired', 'tearing-down'] as const) {
    expect(followersOf(state)).toEqual(expect.arrayContaining(['dying', 'ended']));
  }
  for (const state of STATES) expect(mayFollow(state, state)).toBe(false);
});
