// @ts-check
/** One export as Markdown. */
import ts from 'typescript';
import { docsOf } from './docs.mjs';
import { SPREAD } from './groups.mjs';
import { memberName, slugOf } from './names.mjs';
import { resolved } from './surface.mjs';

/** Longer declarations are broken. */
const WIDTH = 100;
/** A constant with more fields than this shows none of them. */
const MAX_FIELDS = 10;

export class Markdown {
  /** @type {string[]} */
  faults = [];
  #checker;
  #exported;
  #places;

  /** @param {import('./surface.mjs').Surface} surface @param {Map<string, import('./surface.mjs').Exported>} places */
  constructor({ checker, exported }, places) {
    this.#checker = checker;
    this.#exported = exported;
    this.#places = places;
  }

  /** Heading, declaration, docstring, fields, and the types it names. @param {string} name @returns {string[]} */
  section(name) {
    const { declaration, from } = /** @type {import('./surface.mjs').Exported} */ (this.#places.get(name));
    const docs = this.#docs(declaration, name);
    const isMember = ts.isClassElement(declaration);
    const title = isMember ? `executor.${memberName(declaration)}` : name;
    return [
      `### ${title}`,
      ...(from === 'holdfast' ? [] : [`Import it from \`${from}\`.`]),
      ...this.#fence(declaration),
      ...docs,
      ...(name === SPREAD ? [] : this.#fields(declaration)),
      ...this.#links(declaration, name),
    ];
  }

  /** Nothing of an interface whose fields say it all. @param {ts.Declaration} declaration @returns {string[]} */
  #fence(declaration) {
    const declared = this.#declared(declaration);
    return /^interface \w+$/.test(declared) ? [] : [`\`\`\`ts\n${declared}\n\`\`\``];
  }

  /** @param {ts.Declaration} declaration @param {string} name @returns {string[]} paragraphs */
  #docs(declaration, name) {
    const docs = docsOf(declaration);
    if (docs.length === 0) this.faults.push(`${name} has no docstring`);
    return docs;
  }

  /** @param {ts.Declaration} node @returns {string} */
  #declared(node) {
    if (ts.isFunctionDeclaration(node)) return call(`function ${node.name?.text}`, node);
    if (ts.isMethodDeclaration(node)) return call(node.name.getText(), node);
    if (ts.isGetAccessor(node)) return `readonly ${node.name.getText()}: ${node.type?.getText()}`;
    if (ts.isPropertyDeclaration(node)) return this.#field(node);
    if (ts.isTypeAliasDeclaration(node)) return this.#alias(node);
    if (ts.isVariableDeclaration(node)) return this.#constant(node);
    if (ts.isClassDeclaration(node)) return `class ${node.name?.text}${parameters(node)}${this.#heritage(node)}`;
    if (ts.isInterfaceDeclaration(node)) return `interface ${node.name.text}${parameters(node)}${this.#heritage(node)}`;
    throw new Error(`no form for ${ts.SyntaxKind[node.kind]}`);
  }

  /** @param {ts.TypeAliasDeclaration} node */
  #alias(node) {
    const isOfConstant = /\btypeof [A-Z_]+\)/.test(node.type.getText());
    const type = isOfConstant ? this.#spelled(node.type) : plain(node.type, { comments: true });
    return `type ${node.name.text}${parameters(node)} = ${type}`;
  }

  /** @param {ts.VariableDeclaration} node */
  #constant(node) {
    const isLong = node.type && ts.isTypeLiteralNode(node.type) && node.type.members.length > MAX_FIELDS;
    return `const ${node.name.getText()}: ${isLong ? '{ … }' : plain(node.type)}`;
  }

  /** @param {ts.ClassDeclaration | ts.InterfaceDeclaration} node */
  #heritage(node) {
    const bases = (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => plain(type)));
    // Ours differs from Node's in no type.
    return bases.length === 0 ? '' : ` extends ${bases.join(', ').replace('CarefulEmitter', 'EventEmitter')}`;
  }

  /** The members of what is no alias, a bullet each. @param {ts.Declaration} node @returns {string[]} */
  #fields(node) {
    if (!ts.isInterfaceDeclaration(node) && !ts.isClassDeclaration(node)) return [];
    const bullets = [...node.members].flatMap((member) => {
      const isCalled = ts.isCallSignatureDeclaration(member);
      if (!isCalled && !ts.isConstructorDeclaration(member) && memberName(/** @type {any} */ (member)) === undefined)
        return [];
      const [first = '', ...rest] = docsOf(member);
      const text = [`- \`${this.#field(member)}\`${first && ': '}${first}`, ...rest].join('\n\n');
      return [text.replaceAll(/\n(?=.)/g, '\n  ')];
    });
    return bullets.length === 0 ? [] : [bullets.join('\n')];
  }

  /** @param {ts.Node} member @returns {string} in one line */
  #field(member) {
    const flat = (/** @type {string} */ text) =>
      text.replaceAll(/\s+/g, ' ').replaceAll('[ ', '[').replaceAll(' ]', ']').replace(/;$/, '');
    if (ts.isConstructorDeclaration(member))
      return flat(`new ${plain(member).replace(/^constructor/, '')}`).replace('new (', 'new(');
    if (ts.isGetAccessor(member)) return flat(`readonly ${member.name.getText()}: ${plain(member.type)}`);
    const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
    if (isProperty && member.type && /\btypeof [A-Z_]+/.test(member.type.getText())) {
      return flat(`${member.name.getText()}${member.questionToken ? '?' : ''}: ${this.#spelled(member.type)}`);
    }
    return flat(plain(member));
  }

  /** What a type comes to, where its text names a constant. @param {ts.TypeNode} node */
  #spelled(node) {
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;
    return this.#checker.typeToString(this.#checker.getTypeFromTypeNode(node), node, flags).replaceAll('"', "'");
  }

  /** The other exports that it names. @param {ts.Declaration} declaration @param {string} name @returns {string[]} */
  #links(declaration, name) {
    /** @type {Set<string>} */
    const named = new Set();
    /** @param {ts.Node} node */
    const visit = (node) => {
      const found = ts.isIdentifier(node) ? this.#checker.getSymbolAtLocation(node) : undefined;
      const symbol = found && resolved(this.#checker, found);
      if (symbol && this.#exported.get(symbol.name)?.symbol === symbol) named.add(symbol.name);
      if (name === SPREAD && ts.isClassElement(node)) return;
      ts.forEachChild(node, visit);
    };
    visit(declaration);
    named.delete(name);
    named.delete(SPREAD);
    if (named.size === 0) return [];
    return [`See ${[...named].map((each) => `[${each}](#${slugOf(each)})`).join(', ')}.`];
  }
}

/**
 * Its text, with names instead of `import("…")` and of what is taken apart.
 * @param {ts.Node | undefined} node @param {{ comments?: boolean }} [options]
 */
function plain(node, { comments = false } = {}) {
  if (node === undefined) return 'unknown';
  return (
    ts
      .createPrinter({ removeComments: !comments })
      .printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
      .replaceAll(/import\("[^"]+"\)[.]/g, '')
      .replaceAll(/\{[\w\s,]*\}(?=[?]?: )/g, 'options')
      .replaceAll(/\[\s+([^\]]*?)\s+\]/g, '[$1]')
      // `exactOptionalPropertyTypes` wants it; readers do not.
      .replace(/^([^:]*[?]: [\s\S]*) [|] undefined(?=;$)/, '$1')
      .replaceAll(/([?]: [^;{}]*?) [|] undefined(?=;)/g, '$1')
      .replaceAll('"', "'")
      .replaceAll('    ', '  ')
  );
}

/** @param {ts.FunctionDeclaration | ts.MethodDeclaration} node @param {string} head */
function call(head, node) {
  const given = node.parameters.map((parameter) => plain(parameter));
  const line = `${head}${parameters(node)}(${given.join(', ')}): ${plain(node.type)}`;
  if (line.length <= WIDTH) return line;
  return `${head}${parameters(node)}(\n${given.map((each) => `  ${each.replaceAll('\n', '\n  ')},\n`).join('')}): ${plain(node.type)}`;
}

/** Those of its type. @param {{ typeParameters?: ts.NodeArray<ts.TypeParameterDeclaration> | undefined }} node */
function parameters({ typeParameters }) {
  return typeParameters ? `<${typeParameters.map((each) => plain(each)).join(', ')}>` : '';
}
