/** Where colours may be shown, and the few there are. */

/** What of a stream decides how it is written to; `process.stderr` has all of it. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

type Environment = Record<string, string | undefined>;

/** Whether lines can be drawn over: a terminal, and not a dumb one. */
export function isDrawable(stream: Screen, env: Environment = process.env): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Whether to write colours: on a terminal, unless `NO_COLOR` or `--no-color` (`wanted` is false) says otherwise. */
export function hasColor(stream: Screen, wanted: boolean, env: Environment = process.env): boolean {
  return wanted && !env['NO_COLOR'] && isDrawable(stream, env);
}

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 } as const;

export type Color = keyof typeof CODES;
export type Paint = (color: Color, text: string) => string;

export function painter(color: boolean): Paint {
  return color ? (name, text) => `\x1B[${CODES[name]}m${text}\x1B[0m` : (_name, text) => text;
}
