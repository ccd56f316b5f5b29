/** Text as roff has it: what means something at the begin of a line, and in it, is escaped. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=['.])/gm, '\\&');
}

export function heading(name: string): string {
  return `.SH ${name}\n`;
}

export function subheading(name: string): string {
  return `.SS "${roff(name).replaceAll('"', '\\(dq')}"\n`;
}

export function paragraph(text: string): string {
  return `.PP\n${roff(text)}\n`;
}

/** A word with what it means, indented behind it. */
export function item(word: string, text: string): string {
  return `.TP\n\\fB${roff(word)}\\fR\n${roff(text)}\n`;
}

/** As it is, line by line. */
export function verbatim(text: string): string {
  return `.PP\n.nf\n${roff(text)}\n.fi\n`;
}
