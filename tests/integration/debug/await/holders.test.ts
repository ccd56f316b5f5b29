import { describe, expect } from 'vitest';
import { findingsOf, linesOf, treesOf } from '../../../support/await-fixtures.js';
import { onEveryNode } from '../../../support/node-versions.js';

/** Of `fixtures/awaits/holders.mjs`. */
const HOLDERS = linesOf(`
  lockOfModule
    - lock Lock held as #waiting by Lock
  semaphoreOfFunction
    - lock Semaphore held as queue by Semaphore
  besideServer
    - promise held as waiting by Turnstile
  besidePort
    - promise held as waiting by Turnstile
  variableThatChanges
    - promise held as waiting in: async function batcher() {
  partOfApp
    - promise held as waiting by Turnstile
  variableOfModule
    - promise held as release in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  variableOfFunction
    - promise held as open in: export async function variableOfFunction() {
  variableOfFactory
    - promise held as gate in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  deferredObject
    - promise held as deferred in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  withResolvers
    - promise held as fixtureDeferred by globalThis
  mapOfModule
    - promise held as byKey in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  weakMap
    - promise held as weakKey in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  setOfModule
    - promise held as pending in: /** Functions that wait for a promise that other code of the program has to settle. Each export is one. */
  globalVariable
    - promise held as fixtureRelease by globalThis
  propertyOfObject
    - promise held as finish by Job
  lockWithTimeout
    - lock Lock held as #waiting by Lock
  staticOfClass
    - promise held as waiting by Store
  neverSettled
    - promise
  moduleInFlight
    - adopted > promise held as fixtureModule by globalThis
  variableOfOtherModule
    - promise held as open elsewhere
  variableOfCommonJs
    - promise held as open elsewhere
  timerOfCommonJs
    - timer Timeout 10000000ms
`);

describe('of a promise that other code of the program settles', async () => {
  await onEveryNode('it is told who holds its resolver, not what else is held there', async (node) => {
    expect(treesOf('holders', await findingsOf('holders', node))).toEqual(HOLDERS);
  });
});
