// @ts-check
/** The docstring of a declaration, as paragraphs of Markdown. */
import ts from 'typescript';

/** @param {ts.Node} node @returns {string[]} */
export function docsOf(node) {
  const comment = commentOf(node);
  if (comment === undefined) return [];
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  return blocksOf(lines).map(({ isText, lines: block }) => (isText ? asText(block) : paragraph(block)));
}

/** The one nearest to it. Of a constant, it stands before the whole statement. @param {ts.Node} node */
function commentOf(node) {
  const at = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const source = at.getSourceFile().text;
  const ranges = ts.getLeadingCommentRanges(source, at.getFullStart()) ?? [];
  return ranges
    .map(({ pos, end }) => source.slice(pos, end))
    .filter((text) => text.startsWith('/**'))
    .at(-1);
}

/** Parted at empty lines, at tags, and where indented lines begin or end. @param {string[]} lines */
function blocksOf(lines) {
  /** @type {{ isText: boolean, lines: string[] }[]} */
  const blocks = [];
  let isOpen = false;
  for (const line of lines) {
    const isText = /^ {2,}\S/.test(line);
    const last = blocks.at(-1);
    if (line.trim() === '') isOpen = false;
    else if (isOpen && last && last.isText === isText && !line.startsWith('@')) last.lines.push(line);
    else {
      blocks.push({ isText, lines: [line] });
      isOpen = true;
    }
  }
  return blocks;
}

/** @param {string[]} lines */
function asText(lines) {
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  const dedented = lines.map((line) => line.slice(indent));
  // In a list of lines that are each a code span already, a span is enough.
  return `\`\`\`text\n${dedented.map((line) => line.replace(/^`(.*?)`(?=$|,)/, '$1')).join('\n')}\n\`\`\``;
}

/** @param {string[]} lines */
function paragraph(lines) {
  const text = lines.map((line) => line.trim()).join(' ');
  if (!text.startsWith('@')) return text;
  const said = text
    .replace(/^@throws /, 'Throws ')
    .replace(/^@param (\w+) /, '`$1`: ')
    .replace(/^@returns /, 'Gives ')
    .replaceAll(/(?<![\w`])[A-Z]\w+Error\b/g, (name) => `[${name}](#${name.toLowerCase()})`);
  return /[.:!?]$/.test(said) ? said : `${said}.`;
}
