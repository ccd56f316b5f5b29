import type { Command } from 'commander';
import { addWhere } from '../../arguments/common-flags.js';

/** The arguments and flags of `runtime logs`. */
export function describeLogs(command: Command): Command {
  return addWhere(
    command
      .description('show what the tasks of a run printed and logged')
      .argument('<run-id>', 'the run, as `runtime status` lists it')
      .argument('[task-id]', 'only what this task printed')
      .option('--follow', 'go on with what is printed from now on, until the run has ended')
      .option('--json', 'one JSON document a line, with time, thread, stream, task and attempt')
      .option('--no-color', 'no colours'),
  ).addHelpText(
    'after',
    `
Examples:
  runtime logs nightly --follow
  runtime logs nightly texts/cli/color.ts

Of a run of \`runtime run\`, the last 16MB are kept. Where a thread runs several tasks at a time (--concurrency), a line
names all that may have printed it.

Exit codes: 0 success, 1 there is no such run, or what is recorded cannot be read, 64 wrong usage, 128+n ended by
signal n.`,
  );
}
