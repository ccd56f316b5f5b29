/** What a shell may offer for an option or an argument: as its row says, else by the name of its place. */
import { Option, type Argument } from 'commander';
import type { Kind } from '../../options/option.js';
import { offersOfFlag } from '../arguments/flags.js';

export type Offers = Kind<unknown>['offers'] | undefined;

/** What stands in the angle brackets of a flag or an argument, and what that is. */
const PLACES: Readonly<Record<string, NonNullable<Offers>>> = {
  file: 'file',
  folder: 'folder',
  module: 'file',
  'run-id': 'run',
  'run-id|pid': 'run',
  state: ['done', 'failed', 'crashed', 'timed-out', 'cancelled', 'not-done'],
  question: ['live', 'ready', 'startup'],
  shell: ['bash', 'zsh', 'fish'],
};

export function offersOf(place: Option | Argument): Offers {
  if (!(place instanceof Option)) return PLACES[place.name()];
  const [, name] = /[<[](.+)[>\]]$/.exec(place.flags) ?? [];
  return offersOfFlag(place) ?? PLACES[name ?? ''];
}
