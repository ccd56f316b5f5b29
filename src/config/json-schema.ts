import { z } from 'zod';
import { TEXT_CONFIG_SCHEMA } from './schema.js';

/**
 * The schema of a config file as JSON Schema: for editors, which check YAML and
 * JSON by it. What only a module can hold, functions, is not in it.
 *
 * Draft 7 is the one that the language servers for JSON and for YAML know whole.
 */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(TEXT_CONFIG_SCHEMA, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    // zod leaves the default of a text out that a check turns into a number, as it could be either.
    override: ({ zodSchema, jsonSchema }) => {
      const unset = z.globalRegistry.get(zodSchema)?.['default'];
      if (unset !== undefined) jsonSchema.default = unset;
    },
  });
  return { ...schema, title: 'Configuration of holdfast' };
}
