/** What passes in the frames between an executor and its keeper. Types only. */
import type { OutcomePage, StoreTraits } from '../contract.js';
import type { ToldError } from './told-errors.js';

/** A call: its number, from 1, the name of a call of the contract or `join`, and what it is given. */
export type Request = [number: number, method: string, ...args: unknown[]];

/** The number of the call, and what it gives or throws. The number 0: nobody called, and work has come. */
export type Answer = [number: number, given: unknown, thrown?: ToldError];

/** Given by `join`, the first call. */
export interface Joined {
  member: number;
  predecessor: number;
  traits: StoreTraits;
}

/** Given by `outcomesAfter`. `damaged`: records that could not be given. */
export interface AnsweredPage {
  page: OutcomePage;
  damaged: ToldError[];
}
