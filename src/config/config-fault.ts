import { relative } from 'node:path';
import { HoldfastError, InvalidInputError, type Fault } from '../base/errors.js';

/** The file as a fault names it: from the working directory if it lies there, else whole. */
export function shownPath(path: string): string {
  const near = relative('', path);
  return near.startsWith('..') ? path : near;
}

/** There is nothing in it to be judged: it cannot be read, or not be run. */
export function unreadable(path: string, why: string, options: { hint?: string; cause?: unknown } = {}): HoldfastError {
  return new HoldfastError('ERR_INVALID_OPTIONS', `the config file ${shownPath(path)} cannot be read: ${why}`, options);
}

/** All that is wrong in it. */
export function invalid(path: string, faults: readonly Fault[]): InvalidInputError {
  return new InvalidInputError('ERR_INVALID_OPTIONS', `the config file ${shownPath(path)} is not valid`, faults, {
    hint: 'Every key, and what it takes: runtime config schema',
  });
}

/** `runtime.config.yaml:3:12`, as editors and terminals make a link of it. `offset` is in characters. */
export function placeIn(path: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${shownPath(path)}:${before.length}:${before.at(-1)!.length + 1}`;
}
