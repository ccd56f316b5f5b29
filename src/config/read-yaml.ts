import { parseDocument, visit, type Document, type YAMLError } from 'yaml';
import type { Fault } from '../runtime/errors.js';
import { quoted } from '../runtime/faults.js';
import { invalid, placeIn, unreadable } from './config-fault.js';

/**
 * YAML 1.2: `yes` and `012` are a text and a number, as in JSON.
 * @throws InvalidInputError with every fault of syntax, each with its place and what stands there
 */
export function readYaml(path: string, text: string): unknown {
  const document = parse(text);
  const faults = faultsOf(document).map((error) => told(path, text, error));
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      faults.push({ where: placeIn(path, text, alias.range![0]), problem: `*${alias.source} has no anchor before it` });
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
  return faultsOf(parse(text))
    .filter(({ code }) => code === 'DUPLICATE_KEY')
    .map((error) => told(path, text, error));
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: true });
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
    return { where, problem: `the key ${quoted(/^["']?([^"':\s]*)/.exec(line)![1])} stands twice` };
  }
  if (code === 'MULTIPLE_DOCS') return { where, problem: 'a second document begins here, and there may be one' };
  return { where, problem: `${message}; there stands ${line.trim() === '' ? 'nothing' : quoted(line.trim())}` };
}
