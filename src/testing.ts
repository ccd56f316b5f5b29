/** `holdfast/testing`: what a test suite asks at its end. */
export { assertNoPending, type AssertNoPendingOptions, type PendingCheck } from './debug/pending/assert-no-pending.js';
