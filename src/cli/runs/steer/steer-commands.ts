/** The commands that steer a run that goes on: their arguments and flags. */
import type { Command } from 'commander';
import { addWhere } from '../../arguments/common-flags.js';

const RUN = 'the run, as `runtime status` lists it';

/** `pause`, `resume` and `drain`. */
export function describeSteer(command: Command, description: string): Command {
  return addWhere(command.description(description).argument('<run-id>', RUN)).addHelpText(
    'after',
    '\nExit codes: 0 success, 1 nobody runs it, or it is too late, 64 wrong usage.',
  );
}

export function describeCancel(command: Command): Command {
  command
    .description('cancel tasks of a run that goes on: those that wait at once, those that run by their signal')
    .argument('<run-id>', RUN)
    .argument('<task-id...>', 'the tasks, as `runtime results` and `runtime status` name them')
    .option('--json', 'print one JSON document');
  return addWhere(command).addHelpText(
    'after',
    `
Example:
  runtime cancel crawl page-17 page-18

Exit codes: 0 all cancelled, 1 some are unknown or have ended, or nobody runs it, 64 wrong usage.`,
  );
}

export function describeRetry(command: Command): Command {
  command
    .description('run tasks again in a run that goes on: those named, or all that did not end done')
    .argument('<run-id>', RUN)
    .argument('[task-id...]', 'the tasks (default: all that did not end done)')
    .option('--state <state>', 'all that ended failed, crashed, timed-out or cancelled')
    .option('--json', 'print one JSON document');
  return addWhere(command).addHelpText(
    'after',
    `
Their outcomes and earlier attempts are forgotten. A task that is done stays done. In a run that has ended, the same
command with --retry-failed does it.

Examples:
  runtime retry crawl
  runtime retry crawl page-17 page-18
  runtime retry crawl --state timed-out

Exit codes: 0 success, 1 some tasks are unknown, wait, run or are done, or nobody runs it, 64 wrong usage.`,
  );
}

export function describeAdd(command: Command): Command {
  command
    .description('give more tasks to a run that goes on')
    .argument('<run-id>', RUN)
    .option('--tasks <file>', 'a task for each line of an NDJSON file, "-" for standard input')
    .option('--lines', 'a task for each line of standard input')
    .option('--null', 'with --lines: they end with NUL, as find -print0 writes them')
    .option('--handler <export>', 'the export that runs tasks that name none (default: that of the run)')
    .option('--json', 'print one JSON document');
  return addWhere(command).addHelpText(
    'after',
    `
They are on disk when the command ends. Tasks without an id get one of their input, as with runtime run: the same
line is not run twice.

Examples:
  runtime add crawl --tasks more.ndjson
  echo '{"input": {"url": "https://example.com"}}' | runtime add crawl --tasks -

Exit codes: 0 success, 1 nobody runs it, or it takes none any more, 64 wrong usage.`,
  );
}

export function describeScale(command: Command): Command {
  command
    .description('change the number of worker threads of a run that goes on')
    .argument('<run-id>', RUN)
    .argument('<threads>', '1 to 1024; surplus threads finish what they have');
  return addWhere(command).addHelpText(
    'after',
    `
Example:
  runtime scale crawl 8

Exit codes: 0 success, 1 nobody runs it, 64 wrong usage.`,
  );
}
