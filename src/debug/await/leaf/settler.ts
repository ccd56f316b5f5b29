import type { LeafKind } from '../../inspection.js';

/** What settles a promise, or who holds the functions that do. */
export type Settler =
  | { what: 'thing'; kind: LeafKind; object: number; event?: string | undefined; url?: string | undefined }
  /** A job in the queue of microtasks does, as soon as it is its turn. */
  | { what: 'turn' }
  /** Another thread, that has to call `Atomics.notify`. */
  | { what: 'notification' }
  /** They are called when another promise is settled. */
  | { what: 'promise'; promise: number }
  /** A property of an object holds them, or what holds them. */
  | { what: 'property'; object: number; name: string }
  /** A variable, likewise. `name`: `''` where it is not known; `value`: what the variable has. */
  | { what: 'variable'; context: number; name: string; value: number }
  /** A suspended function has them, as an argument. */
  | { what: 'suspended'; suspended: number };
