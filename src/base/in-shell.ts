import { printableWord } from './printable.js';

/** A word as a shell has to be given it; with what steers a terminal written as bash and zsh read it. */
export function inShell(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (printableWord(word) === word) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${printableWord(word.replaceAll(/[\\']/g, String.raw`\$&`))}'`;
}
