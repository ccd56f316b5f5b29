import type { StoreTraits } from './contract.js';

export const MEMORY_TRAITS: StoreTraits = { outlivesProcess: false, shared: false, bounded: true };

export const SQLITE_TRAITS: StoreTraits = { outlivesProcess: true, shared: false, bounded: false };
