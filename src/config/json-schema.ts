import { shownDefault, type JsonSchema, type Options } from '../options/option.js';
import { sentence } from '../options/sentence.js';
import { TEXT_CONFIG_OPTIONS } from './schema.js';

/**
 * The schema of a config file as JSON Schema: for editors, which check YAML and
 * JSON by it. What only a module can hold, functions, is not in it.
 *
 * Draft 7 is the one that the language servers for JSON and for YAML know whole.
 */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...objectOf(TEXT_CONFIG_OPTIONS),
    title: 'Configuration of holdfast',
  };
}

function objectOf(rows: Options): JsonSchema {
  const properties = Object.entries(rows).map(([key, row]): [string, JsonSchema] => {
    const { parts, json } = row.takes;
    const unset = shownDefault(row);
    const words = unset === undefined && row.unsetSays !== undefined ? ` (default: ${row.unsetSays})` : '';
    return [
      key,
      {
        description: `${sentence(row)}${words}`,
        ...(parts === undefined ? json : objectOf(parts)),
        ...(unset !== undefined && { default: unset }),
      },
    ];
  });
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}
