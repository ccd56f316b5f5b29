import { quoted } from '../../base/faults.js';

export const HALF_PAIR = 'half of a surrogate pair, which is not a character';

/**
 * What is wrong with the id of a task, if anything is. Half of a surrogate pair
 * is no character: SQLite stores another in its place, by which two ids become
 * one, and neither is found again.
 */
export function taskIdFault(id: unknown): string | undefined {
  if (typeof id !== 'string') return `must be a string, got ${quoted(id)}`;
  if (id === '') return 'is empty';
  if (id.startsWith('#')) return 'starts with "#", as only the ids that the queue gives do';
  if (!isWellFormed(id)) return `holds ${HALF_PAIR}: ${quoted(id)}`;
  return undefined;
}

/** Node has it since 20; the types of the language that is compiled to do not. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

const CONTENT_ID = /^[0-9a-f]{16}(:\d+)?$/;

/** Whether an id was made of the content of a task: it says nothing to anybody. */
export function isContentId(id: string): boolean {
  return CONTENT_ID.test(id);
}
