import { describe, expect } from 'vitest';
import { findingsOf, fitted, linesOf, treesOf } from '../../../support/await-fixtures.js';
import { longTest } from '../../../support/long.js';
import { onEveryNode } from '../../../support/node-versions.js';

/** Of `fixtures/awaits/trees.mjs`. */
const TREES = linesOf(`
  plainAwait
    leaf
      - timer Timeout 10000000ms
  threeLevels
    plainAwait
      leaf
        - timer Timeout 10000000ms
  all
    Promise.all > leaf
      - timer Timeout 10000000ms
    Promise.all > otherLeaf
      - timer Timeout 10000000ms
  allSettled
    Promise.allSettled > leaf
      - timer Timeout 10000000ms
    Promise.allSettled > otherLeaf
      - timer Timeout 10000000ms
  any
    Promise.any > leaf
      - timer Timeout 10000000ms
    Promise.any > otherLeaf
      - timer Timeout 10000000ms
  race
    Promise.race > leaf
      - timer Timeout 10000000ms
    Promise.race > otherLeaf
      - timer Timeout 10000000ms
  nestedCombinators
    Promise.all > Promise.allSettled > Promise.any > leaf
      - timer Timeout 10000000ms
    Promise.all > Promise.race > leaf
      - timer Timeout 10000000ms
    Promise.all > Promise.race > otherLeaf
      - timer Timeout 10000000ms
  allOfLeaves
    - Promise.all > timer Timeout x3 10000000ms
  someDone
    Promise.all > leaf
      - timer Timeout 10000000ms
  thenChain
    then > leaf
      - timer Timeout 10000000ms
  catchAndFinally
    then > leaf
      - timer Timeout 10000000ms
  adoptedByReturn
    adopted > leaf
      - timer Timeout 10000000ms
  adoptedByResolve
    adopted > leaf
      - timer Timeout 10000000ms
  adoptedByThen
    adopted > leaf
      - timer Timeout 10000000ms
  thenable
    - timer Timeout 10000000ms
  forAwait
    generator
      leaf
        - timer Timeout 10000000ms
  forAwaitOfPromises
    leaf
      - timer Timeout 10000000ms
  yieldStar
    delegating
      generator
        leaf
          - timer Timeout 10000000ms
  generatorsInARow
    mapped
      mapped
        generator
          leaf
            - timer Timeout 10000000ms
  nextByHand
    generator
      leaf
        - timer Timeout 10000000ms
  severalNexts
    Promise.all > generator
      leaf
        - timer Timeout 10000000ms
  sharedOne
    leaf
      - timer Timeout 10000000ms
  sharedTwo
    leaf
      - timer Timeout 10000000ms
  severalForOne
    Promise.all > waitsFor x3
      leaf
        - timer Timeout 10000000ms
  severalForTimer
    Promise.all > waitsFor x3
      - timer Timeout 10000000ms
  combinedOne
    Promise.all > leaf
      - timer Timeout 10000000ms
    Promise.all > otherLeaf
      - timer Timeout 10000000ms
  combinedTwo
    Promise.all > leaf
      - timer Timeout 10000000ms
    Promise.all > otherLeaf
      - timer Timeout 10000000ms
  circular
    Promise.all > leaf
      - timer Timeout 10000000ms
    Promise.all > half
      half circular
  recursion +5
    leaf
      - timer Timeout 10000000ms
  recursionBeside
    - Promise.all > timer Timeout 10000000ms
    Promise.all > recursionBeside
      - Promise.all > timer Timeout 10000000ms
      Promise.all > recursionBeside
        - Promise.all > timer Timeout 10000000ms
        Promise.all > recursionBeside
          - Promise.all > timer Timeout 10000000ms
          Promise.all > recursionBeside
            - Promise.all > timer Timeout 10000000ms
            Promise.all > leaf
              - timer Timeout 10000000ms
  recursionOfTwo
    Promise.all > recursion x2
      recursion x2 +6
        leaf x2
          - timer Timeout x2 10000000ms
  methods
    Promise.all > Service.method
      leaf
        - timer Timeout 10000000ms
    Promise.all > Service.make
      leaf
        - timer Timeout 10000000ms
    Promise.all > Service.arrow
      Service.#hidden
        leaf
          - timer Timeout 10000000ms
  methodOfLiteral
    method
      leaf
        - timer Timeout 10000000ms
  generatorMethod
    Service.items
      leaf
        - timer Timeout 10000000ms
  nameless
    (nameless)
      leaf
        - timer Timeout 10000000ms
  alike
    Promise.all > leaf x7
      - timer Timeout x7 10000000ms
  unlike
    Promise.all > either x2
      - timer Timeout x2 10000000ms
    Promise.all > either
      - event process "never"
  besideSyncGenerator
    leaf
      - timer Timeout 10000000ms
  callsBack
    leaf
      - timer Timeout 10000000ms
  callbackAround
    - promise in: async function callsBack(done) {
  forgotten
    leaf
      - timer Timeout 10000000ms
  resolvedInThen
    adopted > leaf
      - timer Timeout 10000000ms
  resolvedInCallbacks
    then > leaf
      - timer Timeout 10000000ms
  twiceRecursion
    once
      once
        leaf
          - timer Timeout 10000000ms
`);

describe('the await tree of a heap', async () => {
  await onEveryNode(
    'shows each suspended function below the one that awaits it, in every way there is',
    async (node) => {
      const trees = treesOf('trees', await findingsOf('trees', node));
      expect(fitted(trees, TREES)).toEqual(TREES);
    },
  );

  longTest('is no deeper than can be read, however long the chains', async () => {
    const findings = await findingsOf('deep', { version: process.versions.node, path: process.execPath });
    const trees = treesOf('deep', findings).map((line) => line.trim());
    const at = (name: string) => trees.indexOf(name);
    const length = 15_000;
    expect(trees.slice(at('chain'), at('chain') + 4)).toEqual([
      'chain',
      `link +${length - 1}`,
      'timer',
      '- timer Timeout 10000000ms',
    ]);
    const turns = trees.slice(at('turnAbout'), at('thens'));
    expect(turns.slice(0, 3)).toEqual(['turnAbout', 'odd', 'even']);
    expect(turns.slice(-3)).toEqual([`even +${length - 100}`, 'timer', '- timer Timeout 10000000ms']);
    expect(turns).toHaveLength(103);
    expect(trees.slice(at('thens'), at('thens') + 3)).toEqual(['thens', 'then > timer', '- timer Timeout 10000000ms']);
    expect(trees.at(-1)).toMatch(/^- Promise.all > promise x130000 held as waiting in: /);
    // Who carries results between threads copies them by recursion.
    expect(structuredClone(findings)).toEqual(findings);
  });
});
