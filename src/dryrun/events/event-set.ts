/** What a set of events is made of. */

/** Random numbers of one seed: the same seed, and the same calls, give the same numbers. */
export interface Draw {
  /** Evenly from 0 up to, and without, 1. */
  float(): number;
  /** A whole number from `min` to `max`, both of them included. */
  whole(min: number, max: number): number;
  /** One of the items, each as likely as the others. */
  pick<Item>(items: readonly Item[]): Item;
}

/** What holds for all events of one dry run. */
export interface About {
  /** The account that events name. */
  account: string;
}

/** How events of one type are made. */
export interface EventMaker<Body extends object = object> {
  /** How often the type is drawn, beside the others; above 0. Default 1. Patterns that draw no types ignore it. */
  weight?: number;
  /**
   * The fields of an event that are its own. Called in the order of the arrivals.
   * @param n number of the event within its type, from 1
   */
  make(draw: Draw, n: number, about: About): Body;
}

/** A schema as zod, valibot, arktype and others have it (https://standardschema.dev): as much of it as is used here. */
export interface Schema<Body> {
  readonly '~standard': {
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
    readonly types?: { readonly input: Body; readonly output: unknown } | undefined;
  };
}

/** What a schema says of a value: no `issues`, and the value is valid. */
export interface SchemaResult {
  readonly issues?: readonly SchemaIssue[] | undefined;
}

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** One type of events: how they are made, and what must hold for their fields. The schema says what their type is. */
export interface EventType<Body extends object = object> extends EventMaker<NoInfer<Body>> {
  /** Of what `make` gives. */
  schema: Schema<Body>;
}

/** Types of events by their names: a letter or digit, then letters, digits, `.`, `_` or `-`. */
export type EventSet = Record<string, EventType>;

/** What every event has. */
export interface DryRunEvent {
  /** Its name in the set. */
  type: string;
  /** `<type>_<n>`, n from 1. */
  eventId: string;
  /** ISO 8601, in UTC, with milliseconds. */
  timestamp: string;
  dryRun: true;
}

/** The events that a set makes; `type` tells them apart. */
export type EventOf<Set> = {
  [Type in keyof Set & string]: Omit<DryRunEvent, 'type' | 'eventId'> & {
    type: Type;
    eventId: `${Type}_${number}`;
  } & (Set[Type] extends { make(draw: Draw, n: number, about: About): infer Body } ? Body : never);
}[keyof Set & string];

/** Gives a set back as it is; the compiler holds what each `make` gives against its schema. */
export function defineEvents<Bodies extends Record<string, object>>(set: {
  [Type in keyof Bodies]: EventType<Bodies[Type]>;
}): { [Type in keyof Bodies]: EventType<Bodies[Type]> } {
  return set;
}
