import type { Command } from 'commander';
import { CONFIG, FOLDER } from '../arguments/common-flags.js';

/** The flags of `runtime dry-run`; they are checked all together, in `dry-run-flags.ts`. */
export function describeDryRun(command: Command): Command {
  return (
    command
      .description('send made-up events through a real executor, at planned instants, and report how it fared')
      .usage('[options]')
      .optionsGroup('Events:')
      .option('--pattern <pattern>', 'sequential, random or burst (default: $DRY_RUN_PATTERN, else sequential)')
      .option('--rate <n>', 'mean events a second, 0.001 to 1000000 (default: $DRY_RUN_RATE, else 1)')
      .option('--duration <duration>', 'for how long (default: 10s)')
      .option('--count <n>', 'how many, instead of for how long')
      .option('--seed <n>', 'the same seed gives the same events (default: $DRY_RUN_SEED, else 42)')
      .option('--burst-size <n>', 'events of a burst, a number or a range (default: 3-10)')
      .option('--events <file>', 'module with a set of events of your own (default: trades, orders, positions)')
      .option('--account <name>', 'account that events are told to be of (default: $DRY_RUN_ACCOUNT, else DRY-RUN)')
      .option('--wall-clock', "timestamps of the system's clock, not of the plan")
      .optionsGroup('Where they go:')
      .option('--emit', 'to standard output, as NDJSON: as fast as it is read, with --wall-clock as planned')
      .option('--handler <file[#export]>', 'to a handler of your own (default: one that looks whether they are whole)')
      .option('--threads <n>', 'worker threads (default: what the machine offers)')
      .option('--concurrency <n>', 'async tasks in flight in one thread (default: 1)')
      .option('--durable', 'keep the queue on disk, whatever the config file says')
      .option('--no-durable', 'keep the queue in memory')
      .option('--run-id <id>', 'names the state on disk, which each dry run starts over (default: dry-run)')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .optionsGroup('Output:')
      .option('--json', 'print the report as JSON')
      .option('--quiet', 'no progress, no report; errors only')
      .option('--no-color', 'no colours')
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
