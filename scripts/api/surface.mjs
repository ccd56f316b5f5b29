// @ts-check
/** What users can name: all that the entry points of the package export, as its declarations have it. */
import { join } from 'node:path';
import ts from 'typescript';

/** Entry points that export something, by the name by which they are imported. */
const ENTRIES = { holdfast: 'index.d.ts', 'holdfast/testing': 'testing.d.ts' };

/**
 * @typedef {{ name: string, from: string, symbol: ts.Symbol, declaration: ts.Declaration }} Exported
 * @typedef {{ checker: ts.TypeChecker, exported: Map<string, Exported>, hidden: string[] }} Surface `hidden`: types
 *   that a public signature names and nobody can import, a sentence each
 *
 * @param {string} dist @returns {Surface}
 */
export function readSurface(dist) {
  const files = Object.entries(ENTRIES).map(([from, file]) => ({ from, path: join(dist, file) }));
  const program = ts.createProgram(
    files.map(({ path }) => path),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    },
  );
  const checker = program.getTypeChecker();
  /** @type {Map<string, Exported>} */
  const exported = new Map();
  for (const { from, path } of files) {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${path} is missing, or no module: npm run build`);
    for (const symbol of checker.getExportsOfModule(module).map((each) => resolved(checker, each))) {
      const [declaration] = symbol.declarations ?? [];
      if (declaration) exported.set(symbol.name, { name: symbol.name, from, symbol, declaration });
    }
  }
  return { checker, exported, hidden: hiddenTypes(checker, exported, dist) };
}

/** @param {ts.TypeChecker} checker @param {ts.Symbol} symbol */
export function resolved(checker, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** @param {ts.TypeChecker} checker @param {Map<string, Exported>} exported @param {string} dist */
function hiddenTypes(checker, exported, dist) {
  const known = new Set([...exported.values()].map(({ symbol }) => symbol));
  /** @type {Set<string>} */
  const hidden = new Set();
  for (const { name, declaration } of exported.values()) visit(declaration, name);
  return [...hidden];

  /** @param {ts.Node} node @param {string} by */
  function visit(node, by) {
    const found = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    const symbol = found && resolved(checker, found);
    const isOurs = symbol?.declarations?.some((each) => isType(each) && each.getSourceFile().fileName.startsWith(dist));
    if (symbol && isOurs && !known.has(symbol))
      hidden.add(`${by} names ${symbol.name}, which src/index.ts does not export`);
    ts.forEachChild(node, (child) => visit(child, by));
  }
}

/** @param {ts.Declaration} declaration */
function isType(declaration) {
  return (
    ts.isInterfaceDeclaration(declaration) ||
    ts.isTypeAliasDeclaration(declaration) ||
    ts.isClassDeclaration(declaration)
  );
}
