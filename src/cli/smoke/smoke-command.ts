import type { Command } from 'commander';
import { SMOKE_OPTIONS } from '../../options/smoke-options.js';
import { addFlags } from '../arguments/flags.js';

/** The flags of `runtime smoke`; they are checked all together, in `smoke-flags.ts`. */
export function describeSmoke(command: Command): Command {
  command.description(
    'boot a run in a temporary folder, wait for its first event, and check that all is as it ought to be',
  );
  return (
    addFlags(command, SMOKE_OPTIONS)
      // Unknown ones are told together with all other faults.
      .allowUnknownOption()
      .allowExcessArguments()
      .addHelpText(
        'after',
        `
Examples:
  runtime smoke
  runtime smoke --timeout 30s --junit smoke.xml

Exit codes: 0 success, 1 an exception or a check that failed, 2 stalled: no event in time,
64 wrong usage, 128+n ended by signal n.`,
      )
  );
}
