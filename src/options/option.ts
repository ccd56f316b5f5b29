/** The row of a table of options, and what kinds of values an option takes. */

/**
 * Where a value comes from. A `flag` gives texts, for numbers too. A `file`
 * of settings or tasks must give amounts with their unit: one would read a
 * number alone as seconds, and the next one as milliseconds.
 */
export type Origin = 'code' | 'flag' | 'file';

/** What an option takes: how a value is read, and what people, editors and shells are told of it. */
export interface Kind<Value, Given = Value> {
  /** @throws Refusal, or HoldfastError for a text that cannot be parsed */
  read(given: unknown, origin: Origin): Value;
  /** In the words of a table of the docs: `1 to 1,024`. */
  takes: string;
  json: JsonSchema;
  /** What a shell may offer: these words, or names of what there is. */
  offers?: readonly string[] | 'file' | 'folder' | 'run';
  /** What it is made of, if it is an object of options. */
  parts?: Options;
  /** Never there: the type of what may be written. */
  readonly given?: Given;
}

/** A schema of JSON Schema, or a part of it. */
export type JsonSchema = Record<string, unknown>;

export interface Option<Value = unknown, Given = unknown> {
  /** What it is or does, as a sentence without its capital and its end. */
  says: string;
  takes: Kind<Value, Given>;
  /** The default, as one would write it; a function where it depends on the machine. */
  unset?: Given | (() => Given);
  /** The default in words, where there is no value to show. */
  unsetSays?: string;
  /** There is no default. */
  required?: true;
  /** As commander takes it: `--threads <n>`. */
  flag?: string;
  /** What `--no-…` does, of a flag that has one; `true`: it undoes what the config file says, and no more. */
  off?: string | true;
  /** The flag may be repeated. */
  repeats?: true;
  /** Heading in the help of this flag and those that follow. */
  group?: string;
  /** The variable of the environment that stands above the config file. */
  variable?: string;
  /** Of a variable that takes numbers alone: ` seconds`. */
  variableUnit?: string;
  /** Whether a config file takes it. */
  config?: true;
  /** Whether `createExecutor` takes it. */
  executor?: true;
}

/** A table of options, by the names that they have in code and in config files. */
export type Options = Readonly<Record<string, Option>>;

/** What comes of a table of options, with every default in place. */
export type ValuesOf<Rows extends Options> = { [Key in keyof Rows]: ValueOf<Rows[Key]> };
export type ValueOf<Row extends Option> =
  | (Row['takes'] extends Kind<infer Value, unknown> ? Value : never)
  | (Row extends { unset: unknown } | { required: true } ? never : undefined);

/** What may be written for a table of options. */
export type GivenFor<Rows extends Options> = {
  [Key in keyof Rows as Rows[Key] extends { required: true } ? Key : never]: GivenOf<Rows[Key]>;
} & {
  [Key in keyof Rows as Rows[Key] extends { required: true } ? never : Key]?: GivenOf<Rows[Key]> | undefined;
};
type GivenOf<Row extends Option> = NonNullable<Row['takes']['given']>;

/** `true` where an interface has the keys of a table, and no others. */
export type SameKeys<One, Other> = [keyof One, keyof Other] extends [keyof Other, keyof One] ? true : never;

/** The rows that have a column. */
export type Having<Column extends 'config' | 'executor', Rows extends Options> = {
  [Key in keyof Rows as Rows[Key] extends Record<Column, true> ? Key : never]: Rows[Key];
};

export function having<Column extends 'config' | 'executor', Rows extends Options>(
  column: Column,
  rows: Rows,
): Having<Column, Rows> {
  return Object.fromEntries(Object.entries(rows).filter(([, row]) => row[column])) as Having<Column, Rows>;
}

/** The variables of the environment, by the options that they stand behind. */
export function variablesOf(rows: Options): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(rows).flatMap(([key, { variable }]) => (variable ? [[key, variable]] : [])));
}

/** The default as it can be shown: the same on every machine. */
export function shownDefault({ unset }: Option): string | number | boolean | undefined {
  return typeof unset === 'string' || typeof unset === 'number' || typeof unset === 'boolean' ? unset : undefined;
}
