import { jsonFault } from '../runtime/json-fault.js';
import { invalid, placeIn } from './config-fault.js';
import { repeatedKeys } from './read-yaml.js';

/** @throws InvalidInputError where the text stops being JSON, or with every key that stands twice */
export function readJson(path: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A file of this size is not too long for it.
    const { offset, problem } = jsonFault(text)!;
    throw invalid(path, [{ where: placeIn(path, text, offset), problem }]);
  }
  // JSON.parse takes the last one, and says nothing. JSON is YAML, too.
  const repeated = repeatedKeys(path, text);
  if (repeated.length > 0) throw invalid(path, repeated);
  return value;
}
