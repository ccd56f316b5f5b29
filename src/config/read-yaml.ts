import { isCollection, parseDocument, visit, type Document, type Scalar, type YAMLError } from 'yaml';
import type { Fault } from '../base/errors.js';
import { quoted } from '../base/faults.js';
import { MAX_JSON_LEVELS } from '../base/json/depth.js';
import { isLost } from '../base/json/numbers.js';
import { invalid, placeIn, unreadable } from './config-fault.js';

/**
 * YAML 1.2: `yes` and `012` are a text and a number, as in JSON.
 * @throws InvalidInputError with every fault of syntax and every number that would be another one, each with its
 * place and what stands there
 */
export function readYaml(path: string, text: string): unknown {
  const document = parse(path, text);
  const faults = faultsOf(document).map((error) => told(path, text, error));
  const fault = (offset: number, problem: string) => faults.push({ where: placeIn(path, text, offset), problem });
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) fault(alias.range![0], `*${alias.source} has no anchor before it`);
    },
    Scalar: (_, scalar) => {
      if (isLostHere(scalar)) fault(scalar.range![0], `${quoted(scalar.source)} would become ${String(scalar.value)}`);
    },
    Collection: (_, collection, above) => {
      if (above.filter((node) => isCollection(node)).length < MAX_JSON_LEVELS) return undefined;
      fault(
        collection.range![0],
        `level ${MAX_JSON_LEVELS + 1} of nesting begins here, and ${MAX_JSON_LEVELS} are allowed`,
      );
      return visit.BREAK;
    },
  });
  if (faults.length > 0) throw invalid(path, faults);
  if (document.contents === null) throw unreadable(path, 'nothing but comments is in it');
  try {
    return document.toJS();
  } catch (error) {
    // So many aliases of aliases that they would fill the memory.
    throw unreadable(path, (error as Error).message, { cause: error });
  }
}

/** Keys that stand twice in one object, with their places. */
export function repeatedKeys(path: string, text: string): Fault[] {
  return faultsOf(parse(path, text))
    .filter(({ code }) => code === 'DUPLICATE_KEY')
    .map((error) => told(path, text, error));
}

function parse(path: string, text: string): Document.Parsed {
  if (mayExhaustStack(text)) throw unreadable(path, `it is nested deeper than ${MAX_JSON_LEVELS} levels`);
  return parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: true });
}

/** So deep, the parser is far from the end of its stack. */
const SAFE_LEVELS = 200;

/**
 * The parser works by recursion, and its end was seen to be that of the process
 * (V8 of Node 20.20). Counts too many levels rather than too few: brackets in
 * texts as well, and a level for each column at which a line may begin.
 */
function mayExhaustStack(text: string): boolean {
  let level = 0;
  for (const [token] of text.matchAll(/[[\]{}]|^[ ?:-]+/gm)) {
    if (token.length > SAFE_LEVELS) return true;
    if (token === '[' || token === '{') level++;
    else if (level > 0 && (token === ']' || token === '}')) level--;
    if (level > SAFE_LEVELS) return true;
  }
  return false;
}

/** The parser says nothing where a number has more digits, or is larger, than it can hold. */
function isLostHere({ value, source }: Scalar): boolean {
  if (typeof value !== 'number' || source === undefined) return false;
  if (/^0[xo]/.test(source)) return !Number.isSafeInteger(value);
  return /^[-+]?\.?\d/.test(source) && isLost(source);
}

/** One for each place: what follows from the first is not told. */
function faultsOf({ errors, warnings }: Document.Parsed): YAMLError[] {
  // An unknown tag is a warning to the parser, which takes the value without it.
  const all: YAMLError[] = [...errors, ...warnings];
  return all.filter(({ pos }, index) => all.findIndex((other) => other.pos[0] === pos[0]) === index);
}

function told(path: string, text: string, { code, message, pos }: YAMLError): Fault {
  const where = placeIn(path, text, pos[0]);
  const line = text.slice(pos[0]).split(/[\r\n]/, 1)[0]!;
  if (code === 'DUPLICATE_KEY') {
    return { where, problem: `the key ${quoted(/^["']?([^"':\s]*)/.exec(line)![1])} is there twice` };
  }
  if (code === 'MULTIPLE_DOCS') return { where, problem: 'a second document begins here, and there may be one' };
  return { where, problem: `${message}; found ${line.trim() === '' ? 'nothing' : quoted(line.trim())}` };
}
