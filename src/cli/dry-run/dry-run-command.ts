import type { Command } from 'commander';
import { DRY_RUN_OPTIONS } from '../../options/dry-run-options.js';
import { addFlags } from '../arguments/flags.js';

/** The flags of `runtime dry-run`; they are checked all together, in `dry-run-flags.ts`. */
export function describeDryRun(command: Command): Command {
  command
    .description('send made-up events through a real executor, at planned instants, and report how it fared')
    .usage('[options]');
  return (
    addFlags(command, DRY_RUN_OPTIONS)
      .helpOption('-h, --help', 'show this')
      // Unknown ones are told together with all other faults.
      .allowUnknownOption()
      .allowExcessArguments()
      .addHelpText(
        'after',
        `
Patterns:
  sequential  evenly spaced, the types in turn
  random      a Poisson process, types drawn by their weights
  burst       groups back to back, then the pause that keeps the mean rate; types drawn

Examples:
  runtime dry-run --pattern burst --rate 500 --duration 5s
  runtime dry-run --rate 200 --handler ./consume.mjs#order --events ./my-events.mjs
  runtime dry-run --emit --count 1000 --seed 7 > events.ndjson

Exit codes: 0 every event has an outcome, and all are done, 1 an event was lost, or it could not run,
3 some did not end done, 64 wrong usage, 128+n stopped by signal n.`,
      )
  );
}
