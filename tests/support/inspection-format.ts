import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Names of fields by the name of the object that has them. */
type Fields = Record<string, string[]>;

/** Those that docs/inspection-format.md tells of. */
export function documentedFields(): Fields {
  const sections = read('docs/inspection-format.md').split(/^## /m).slice(1);
  return Object.fromEntries(
    sections.map((section) => [
      section.split('\n', 1)[0]!,
      [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!).toSorted(),
    ]),
  );
}

/** Those that the types have. */
export function typedFields(): Fields {
  const source = read('src/debug/inspection.ts');
  return Object.fromEntries(
    [...source.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)].map(([, name, body]) => [
      name!,
      [...body!.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field]) => field!).toSorted(),
    ]),
  );
}

/** The kinds of leaves that the types have. */
export function leafKinds(): string[] {
  const [, union] = /^export type LeafKind =(.*?);/ms.exec(read('src/debug/inspection.ts'))!;
  return [...union!.matchAll(/'([^']+)'/g)].map(([, kind]) => kind!);
}

/** Which object stands behind a field. */
const OBJECTS: Record<string, string> = {
  threads: 'ThreadInspection',
  stack: 'Frame',
  awaits: 'AwaitBranch',
  children: 'AwaitBranch',
  leaves: 'Leaf',
  handles: 'Handle',
  openStreams: 'OpenStream',
  tasks: 'TaskReference',
  place: 'Place',
  at: 'Place',
  definedAt: 'Place',
  heldAt: 'Place',
  hooks: 'HooksSnapshot',
  sites: 'CreationSite',
};

/** Fields of an actual document that are not documented, as paths. */
export function undocumented(value: object, of = 'Inspection', path = ''): string[] {
  const known = documentedFields()[of]!;
  return Object.entries(value).flatMap(([key, below]) => {
    const here = `${path}.${key}`;
    if (!known.includes(key)) return [here];
    const object = OBJECTS[key];
    if (object === undefined || below === null) return [];
    return [below as object].flat().flatMap((one) => undocumented(one, object, here));
  });
}
