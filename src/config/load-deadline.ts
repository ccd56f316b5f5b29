/** A config file that is a module and takes longer, in ms, most likely waits for what never comes. */
export const LOAD_DEADLINE_MS = 10_000;
