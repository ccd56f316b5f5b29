import type { Command } from 'commander';
import { CONFIG, FOLDER } from '../arguments/common-flags.js';

/** The argument and flags of `runtime inspect`; they are checked all together, in `inspect-flags.ts`. */
export function describeInspect(command: Command): Command {
  return (
    command
      .description(
        'show where a run, or any Node process of yours, stands: what each thread runs, awaits, and has open',
      )
      .usage('<run-id|pid> [options]')
      .argument(
        '[run-id|pid]',
        'a run, as `runtime status` lists it, or the id of a process, which need not be prepared',
      )
      .option('--json', 'print one JSON document (docs/inspection-format.md); with --watch one a line')
      .option('--watch [interval]', 'look again and again, until Ctrl-C (default: every 2s)')
      .option('--all', 'leave nothing out: internals of Node and of holdfast, trees of any size')
      .option('--max-pause <duration>', 'how long a thread may stand still while its heap is written (default: 5s)')
      .option('--no-color', 'no colours')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
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
