/** Control characters: the ones of ASCII, and those of Latin-1, by which some terminals are steered, too. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Of a text that others wrote: its first line, cut, and with nothing in it that steers a terminal. */
export function printable(text: string, maxCharacters = 200): string {
  const line = text.split('\n', 1)[0]!.replace(CONTROL, '\uFFFD');
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters - 1)}…` : line;
}
