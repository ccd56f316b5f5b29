import { parseExactly } from '../base/json/exact.js';
import { invalid, placeIn } from './config-fault.js';
import { repeatedKeys } from './read-yaml.js';

/** @throws InvalidInputError where the text stops being JSON, with every key that stands twice, or every number that would be another one */
export function readJson(path: string, text: string): unknown {
  const { value, faults } = parseExactly(text);
  if (faults.length > 0) {
    throw invalid(
      path,
      faults.map(({ offset, problem, number }) => ({
        // A file of this size is not too long for its place to be known.
        where: placeIn(path, text, offset!),
        problem: number === undefined ? problem : `${number.path} ${problem}`,
      })),
    );
  }
  // JSON.parse takes the last one, and says nothing. JSON is YAML, too.
  const repeated = repeatedKeys(path, text);
  if (repeated.length > 0) throw invalid(path, repeated);
  return value;
}
