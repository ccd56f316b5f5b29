import type { Command } from 'commander';
import { RUN_OPTIONS } from '../../options/run-options.js';
import { addFlags } from '../arguments/flags.js';

/** The arguments and flags of `runtime run`; they are checked all together, in `run-flags.ts`. */
export function describeRun(command: Command): Command {
  command
    .description('run a handler of a module over many inputs; the same command goes on where it stopped')
    .usage('<module> (--each <glob> | --tasks <file> | --lines) [options]')
    .argument('[module]', 'JavaScript or TypeScript file that exports the handlers');
  return (
    addFlags(command, RUN_OPTIONS)
      .helpOption('-h, --help', 'show this')
      // Unknown ones are told together with all other faults.
      .allowUnknownOption()
      .allowExcessArguments()
      .addHelpText(
        'after',
        `
Examples:
  runtime run resize.mjs --each 'photos/**/*.jpg' --exclude '*-small.jpg'
  runtime run crawl.mjs --tasks pages.ndjson --concurrency 20 --timeout 30s --retries 2
  find . -name '*.log' -print0 | runtime run scan.mjs --lines --null --results -

A line of a task file:
  {"input": …, "id"?: text, "handler"?: export, "priority"?: n, "timeout"?: "30s", "retries"?: n}

Exit codes: 0 all tasks done, 1 could not run (or a leak), 3 some tasks did not end done, or some input
was left out, 64 wrong usage, 128+n stopped by signal n (the same command goes on).`,
      )
  );
}
