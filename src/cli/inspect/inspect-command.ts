import type { Command } from 'commander';
import { INSPECT_OPTIONS } from '../../options/inspect-options.js';
import { addFlags } from '../arguments/flags.js';

/** The argument and flags of `runtime inspect`; they are checked all together, in `inspect-flags.ts`. */
export function describeInspect(command: Command): Command {
  command
    .description('show what a run, or any Node process of yours, is doing: what each thread runs, awaits, and has open')
    .usage('<run-id|pid> [options]')
    .argument(
      '[run-id|pid]',
      'a run, as `runtime status` lists it, or the id of a process, which need not be prepared',
    );
  return (
    addFlags(command, INSPECT_OPTIONS)
      .helpOption('-h, --help', 'show this')
      // Unknown ones are told together with all other faults.
      .allowUnknownOption()
      .allowExcessArguments()
      .addHelpText(
        'after',
        `
Examples:
  runtime inspect nightly                  the run "nightly", wherever its executor is
  runtime inspect $(pgrep -f server.js)    a program that knows nothing of holdfast
  runtime inspect nightly --watch 5s
  runtime inspect 4711 --max-pause 20s     a large heap: its thread stands still meanwhile
  runtime inspect 4711 --max-pause 0ms     stacks and handles only: no thread stands still

Exit codes: 0 it was looked at, 1 it could not be, 64 wrong usage, 128+n stopped by signal n.`,
      )
  );
}
