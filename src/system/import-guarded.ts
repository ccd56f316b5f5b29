/** A module of the user's, loaded into the command itself: it may print and end as it likes, and must not spoil that. */
import { formatDuration } from '../base/units.js';
import { importModule } from './load-module.js';

/** A module has not loaded in time. */
export class LateModule extends Error {
  constructor(deadlineMs: number) {
    super(`it has not loaded within ${formatDuration(deadlineMs)}: what does it wait for?`);
  }
}

/**
 * What `load` gives, which is to import a module.
 * @throws LateModule, and whatever the module throws
 */
export async function guarded<Loaded>(load: () => Promise<Loaded>, deadlineMs: number): Promise<Loaded> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // Without it, a module that waits for what never comes would end the process without a word (exit 13).
    timer = setTimeout(() => reject(new LateModule(deadlineMs)), deadlineMs);
  });
  const giveBack = divertStdout();
  const letExit = refuseExit();
  try {
    return await Promise.race([load(), late]);
  } finally {
    clearTimeout(timer);
    giveBack();
    letExit();
  }
}

/** What a module of JavaScript or TypeScript exports; see `guarded`. @param moduleUrl `file:` URL */
export function importGuarded(moduleUrl: string, deadlineMs: number): Promise<Record<string, unknown>> {
  return guarded(() => importModule(moduleUrl), deadlineMs);
}

/** What the module prints goes to standard error: standard output carries the data of the command. */
function divertStdout(): () => void {
  const { stdout, stderr } = process;
  const write = stdout.write;
  stdout.write = stderr.write.bind(stderr);
  return () => (stdout.write = write);
}

/** A module that ends the process would end the command with it, and look like a success. */
function refuseExit(): () => void {
  const exit = process.exit;
  process.exit = function refused() {
    const error = new Error('it calls process.exit');
    // The place to tell is the one that calls it.
    Error.captureStackTrace(error, refused);
    throw error;
  };
  return () => (process.exit = exit);
}
