/** The config file has one schema: what it takes, what editors are told, and what the documents say are the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CONFIG_ENV } from '../../../dist/config/environment.js';
import { configJsonSchema } from '../../../dist/config/json-schema.js';
import { CONFIG_FILE, CONFIG_OPTIONS } from '../../../dist/config/schema.js';
import { DRY_RUN_OPTIONS } from '../../../dist/options/dry-run-options.js';
import type { Options } from '../../../dist/options/option.js';
import { attempt } from '../../../dist/options/refusal.js';
import { RUN_OPTIONS } from '../../../dist/options/run-options.js';
import { SMOKE_OPTIONS } from '../../../dist/options/smoke-options.js';
import { SMOKE_FUNCTIONS } from '../../../dist/smoke/options.js';
import { resolveOptions } from '../../../dist/runtime/options.js';
import { runs } from '../../support/runs.js';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Node {
  description?: string;
  default?: unknown;
  properties?: Record<string, Node>;
}

/** Every key that holds a value, by its path. */
function leaves(node: Node, path = ''): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const [key, below] of Object.entries(node.properties ?? {})) {
    const name = path === '' ? key : `${path}.${key}`;
    if (below.properties === undefined) found.set(name, below);
    else for (const [deeper, leaf] of leaves(below, name)) found.set(deeper, leaf);
  }
  return found;
}

/** Every key that holds a value, by the tables of options. */
function keysOf(rows: Options, path = ''): string[] {
  return Object.entries(rows).flatMap(([key, { takes }]) =>
    takes.parts === undefined ? [path + key] : keysOf(takes.parts, `${path}${key}.`),
  );
}

function faultsOf(content: unknown) {
  const found = attempt(() => CONFIG_FILE.read(content, 'file'));
  return 'faults' in found ? found.faults : [];
}

const schema = configJsonSchema() as Node;
const keys = leaves(schema);
/** A module can hold these, and no text. */
const FUNCTIONS = ['smoke.eventSource', 'smoke.postConditions'];

describe('the JSON Schema', () => {
  test('in the package is the one that the command prints', () => {
    expect(JSON.parse(read('config.schema.json')), 'npm run generate').toEqual(configJsonSchema());
  });

  test('is exported by the package', () => {
    const { exports, files } = JSON.parse(read('package.json')) as { exports: Record<string, string>; files: string[] };
    expect(exports['./config.schema.json']).toBe('./config.schema.json');
    expect(files).toContain('config.schema.json');
  });

  test('has every key that the schema has, but the functions', () => {
    expect([...keys.keys(), ...FUNCTIONS].toSorted()).toEqual(keysOf(CONFIG_OPTIONS).toSorted());
  });

  test('tells of every key what it is for', () => {
    for (const [name, { description }] of keys) expect(description?.length, name).toBeGreaterThan(10);
  });

  test('tells the defaults that an executor has', () => {
    const { threads: _, ...options } = resolveOptions({ runId: 'a', handlers: 'x.mjs' });
    const told = (name: string) => keys.get(name)?.default;
    expect([told('run.concurrency'), told('run.retries'), told('run.maxCrashes'), told('run.durable')]).toEqual([
      options.concurrency,
      options.retries,
      options.maxCrashes,
      options.durable,
    ]);
    expect([told('run.grace'), told('run.stallAfter'), told('run.backoff.base'), told('run.backoff.max')]).toEqual([
      `${options.graceMs / 1_000}s`,
      `${options.stallAfterMs / 1_000}s`,
      `${options.backoff.baseMs / 1_000}s`,
      `${options.backoff.maxMs / 60_000}m`,
    ]);
  });

  test('is the same on every machine: what depends on it is no default', () => {
    for (const section of ['run', 'dryRun', 'smoke'])
      expect(keys.get(`${section}.threads`)).not.toHaveProperty('default');
  });

  test('takes all that the schema takes, and refuses a wrong type, an unknown key or a number out of range as it does', () => {
    const json = z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema);
    const names = [...keys.keys()];
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        '30s',
        '1.5m',
        '500ms',
        '16MB',
        '2gb',
        '30',
        '',
        '3-10',
        'sequential',
        'brust',
        30,
        0,
        -1,
      ),
      fc.constantFrom<unknown>(1.5, 1024, 1025, 1e9, 2 ** 32, true, false, null, [], {}, 'work.mjs#main'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names, 'run.thread', 'dirr', 'smoke.eventSource'), values, (name, value) => {
        const content = nested(name, value);
        const ours = faultsOf(content).length === 0;
        const theirs = json.safeParse(content).success;
        // A text with a unit has limits, and a range an order, that JSON Schema cannot tell.
        const isCloser = typeof value === 'string' || /rate|burstSize|http/.test(name);
        if (ours || !isCloser) expect(theirs, `${name}: ${JSON.stringify(value)}`).toBe(ours);
      }),
      { numRuns: runs(2_000) },
    );
  });
});

function nested(path: string, value: unknown): unknown {
  return path.split('.').reduceRight((below, key) => ({ [key]: below }), value);
}

describe('the schema', () => {
  test('takes a whole file', () => {
    const whole = {
      $schema: './config.schema.json',
      dir: 'state',
      run: {
        handler: 'main',
        threads: 4,
        concurrency: 8,
        timeout: '30s',
        retries: 2,
        backoff: { base: '1s', max: '10s' },
        memory: '128MB',
        memoryTotal: '4GB',
        maxCrashes: 2,
        durable: false,
        supervise: false,
        grace: '1s',
        recycleAfterTasks: 1_000,
        recycleAboveMemory: '1GB',
        stallAfter: '1m',
        failOnLeak: true,
        http: '0.0.0.0:9090',
      },
      dryRun: {
        pattern: 'burst',
        rate: 0.5,
        count: 10,
        seed: 7,
        burstSize: '3-10',
        events: './events.mjs',
        account: 'X',
        handler: './work.mjs#main',
        threads: 1,
        concurrency: 2,
        durable: false,
      },
      smoke: {
        timeout: '5s',
        threads: 1,
        handler: './work.mjs',
        eventSource: () => [1],
        postConditions: [{ name: 'a', expected: 'b', check: () => ({ ok: true, actual: 'b' }) }],
      },
    };
    expect(faultsOf(whole)).toEqual([]);
  });

  test.each([
    ['run', RUN_OPTIONS],
    ['dryRun', DRY_RUN_OPTIONS],
    ['smoke', { ...SMOKE_OPTIONS, ...SMOKE_FUNCTIONS }],
  ] as [string, Options][])('has in the section %s each row that a config file takes', (section, rows) => {
    const taken = Object.keys(rows).filter((key) => rows[key]!.config);
    expect(Object.keys(CONFIG_OPTIONS[section]!.takes.parts!)).toEqual(taken);
  });
});

describe('docs/config.md', () => {
  const guide = read('docs/config.md');
  const rows = new Map(
    [...guide.matchAll(/^\| `([\w$.]+)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(([, key, what, takes, unset]) => [
      key!,
      { what: what!, takes: takes!, unset: unset! },
    ]),
  );

  test('has a row for every key, and for no other', () => {
    expect([...rows.keys()].toSorted()).toEqual([...keys.keys(), ...FUNCTIONS].toSorted());
  });

  test('says of each what the schema says, and the same default', () => {
    for (const [name, { description, default: unset }] of keys) {
      const [, what, spoken] = /^(.+?)(?: \(default: (.+)\))?$/.exec(description!)!;
      const row = rows.get(name)!;
      expect(row.what, name).toBe(what);
      expect(row.unset.replaceAll('`', ''), name).toBe(
        unset === undefined ? (spoken ?? 'none') : String(unset as string | number | boolean),
      );
    }
  });

  test('says of each duration and each size that it takes one, and of numbers from where to where', () => {
    for (const [name, leaf] of keys) {
      const { pattern, minimum, maximum } = leaf as { pattern?: string; minimum?: number; maximum?: number };
      const { takes } = rows.get(name)!;
      // A rate, and when to halt, are texts of their own.
      if (pattern?.startsWith(String.raw`^\d+(\.`))
        expect(takes, name).toMatch(pattern.includes('ms') ? /^duration/ : /^size/);
      if (minimum !== undefined && maximum! < Number.MAX_SAFE_INTEGER)
        expect(takes, name).toContain(`${minimum} to ${maximum!.toLocaleString('en')}`);
    }
  });

  test('names the variable that stands above a key', () => {
    for (const [key, variable] of Object.entries(CONFIG_ENV))
      expect(guide).toContain(`\`${variable}\` above \`${key}\``);
  });
});
