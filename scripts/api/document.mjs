// @ts-check
/** docs/api.md: each group, and in it what is exported, with its declaration and what its docstring says. */
import ts from 'typescript';
import { GROUPS, SPREAD } from './groups.mjs';
import { Markdown } from './markdown.mjs';
import { memberName, slugOf } from './names.mjs';

const HEAD = `# API

What the package exports, by what one wants to do. Made from the docstrings: change them, then \`npm run generate\`. How things go together: [from code](from-code.md).
`;

/**
 * @param {import('./surface.mjs').Surface} surface
 * @returns {{ text: string, faults: string[] }} `faults`: what is hidden, has no place, or no docstring; a sentence each
 */
export function apiDocument(surface) {
  const { exported, hidden } = surface;
  const places = placesOf(exported);
  const markdown = new Markdown(surface, places);
  const faults = [...hidden];
  const sections = GROUPS.map(({ title, intro, names }) => {
    const known = names.filter((name) => {
      if (!places.has(name)) faults.push(`scripts/api/groups.mjs names ${name}, which is not exported`);
      return places.has(name);
    });
    return [`## ${title}`, ...(intro ? [intro] : []), ...known.flatMap((name) => markdown.section(name))].join('\n\n');
  });
  const placed = GROUPS.flatMap(({ names }) => names);
  for (const name of places.keys()) {
    const times = placed.filter((each) => each === name).length;
    if (times !== 1) faults.push(`${name} must have one place in scripts/api/groups.mjs, has ${times}`);
  }
  faults.push(...markdown.faults);
  const contents = GROUPS.map(({ title }) => `- [${title}](#${slugOf(title)})`).join('\n');
  return { text: `${[HEAD.trim(), contents, ...sections].join('\n\n')}\n`, faults };
}

/** Everything that has a place, by its name. @param {Map<string, import('./surface.mjs').Exported>} exported */
function placesOf(exported) {
  /** @type {Map<string, import('./surface.mjs').Exported>} */
  const places = new Map();
  for (const [name, each] of exported) {
    places.set(name, each);
    if (name !== SPREAD || !ts.isClassDeclaration(each.declaration)) continue;
    for (const member of each.declaration.members) {
      const key = memberName(member);
      if (key === undefined) continue;
      const symbol = /** @type {{ symbol?: ts.Symbol }} */ (/** @type {unknown} */ (member)).symbol;
      if (symbol)
        places.set(`${name}.${key}`, { name: `${name}.${key}`, from: each.from, symbol, declaration: member });
    }
  }
  return places;
}
