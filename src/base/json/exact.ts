/** JSON as it is meant: nothing in it comes out as something else, or it is told. */
import { randomUUID } from 'node:crypto';
import { MAX_JSON_LEVELS, tooDeepAt } from './depth.js';
import { jsonFault } from './fault.js';
import { eachLongNumber, isLost, maybeLost, pathAt, WHOLE } from './numbers.js';

/** So many numbers of one text are told. */
const MAX_TOLD = 20;
const MAX_SHOWN = 40;

export interface ExactFault {
  /** Characters before what is wrong; undefined if that is not known. */
  offset: number | undefined;
  problem: string;
  /** Where it is a number that would be changed: its field, and how it is written there. */
  number?: { path: string; given: string };
}

export interface ExactJson {
  /** Undefined if there are faults. */
  value: unknown;
  faults: ExactFault[];
  /** Whether `JSON.stringify` writes the same value: there is no -0 and no BigInt in it. */
  isPlain: boolean;
}

/**
 * What `JSON.parse` gives, unless it would have changed a number, or is nested
 * deeper than 64 levels: then the faults, no more than 21.
 *
 * @param bigIntegers whole numbers beyond 2^53-1 become BigInts, instead of faults
 */
export function parseExactly(text: string, bigIntegers = false): ExactJson {
  const failed = (...faults: ExactFault[]): ExactJson => ({ value: undefined, faults, isPlain: false });
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    const problem = `level ${MAX_JSON_LEVELS + 1} of nesting begins here, and ${MAX_JSON_LEVELS} are allowed`;
    return failed({ offset: deep, problem });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed(jsonFault(text) ?? { offset: undefined, problem: 'is not JSON' });
  }
  if (!maybeLost(text)) return { value, faults: [], isPlain: true };
  const { lost, more, big } = oddNumbers(text, bigIntegers);
  if (lost.length > 0) return failed(...lost.map((number) => told(text, number)), ...others(more, lost));
  return { value: big.length > 0 ? withBigIntegers(text, big) : value, faults: [], isPlain: false };
}

/** As it stands in the text, and how many characters before it. */
interface Given {
  given: string;
  offset: number;
}

interface OddNumbers {
  /** Those that are told. */
  lost: Given[];
  /** How many are lost besides. */
  more: number;
  big: Given[];
}

function oddNumbers(text: string, bigIntegers: boolean): OddNumbers {
  const found: OddNumbers = { lost: [], more: 0, big: [] };
  eachLongNumber(text, (given, offset) => {
    if (bigIntegers && WHOLE.test(given) && !Number.isSafeInteger(Number(given))) found.big.push({ given, offset });
    else if (!isLost(given)) return;
    else if (found.lost.length < MAX_TOLD) found.lost.push({ given, offset });
    else found.more++;
  });
  return found;
}

function told(text: string, { given, offset }: Given): ExactFault {
  const shown = given.length > MAX_SHOWN ? `${given.slice(0, MAX_SHOWN - 1)}…` : given;
  return {
    offset,
    problem: `is ${shown}, and would become ${Number(given)}`,
    number: { path: pathAt(text, offset), given },
  };
}

function others(more: number, lost: readonly Given[]): ExactFault[] {
  if (more === 0) return [];
  return [{ offset: lost.at(-1)!.offset, problem: `${more} more such numbers stand after this one` }];
}

/**
 * Node 20 does not tell a reviver what was written, so each big number is given
 * to it as a text that cannot stand in the input by chance.
 */
function withBigIntegers(text: string, big: readonly Given[]): unknown {
  const mark = `${randomUUID()}:`;
  const pieces: string[] = [];
  let from = 0;
  for (const { given, offset } of big) {
    pieces.push(text.slice(from, offset), `"${mark}${given}"`);
    from = offset + given.length;
  }
  pieces.push(text.slice(from));
  return JSON.parse(pieces.join(''), (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}
