import type { Fault } from '../../base/errors.js';
import { didYouMean } from '../../base/faults.js';

/**
 * Faults for the arguments that no flag took.
 * @param known all flags, with their dashes
 * @param command as it is typed: `runtime run`
 * @param tooMany what is said of an argument that is no flag
 */
export function unknownArguments(
  extra: readonly string[],
  { known, command, tooMany }: { known: readonly string[]; command: string; tooMany: string },
): Fault[] {
  return extra.flatMap((argument, index): Fault[] => {
    if (argument.startsWith('-')) {
      const name = argument.split('=', 1)[0]!;
      return [{ where: name, problem: `is not a flag of ${command}${didYouMean(name, known)}` }];
    }
    // What follows an unknown flag is most likely its value.
    if (extra[index - 1]?.startsWith('-')) return [];
    return [{ where: argument, problem: `is one argument too many: ${tooMany}` }];
  });
}

/** `runId` is `--run-id`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
