import type { Command } from 'commander';
import { addWhere } from '../../arguments/common-flags.js';

/** The arguments and flags of `runtime rm`. */
export function describeRm(command: Command): Command {
  return addWhere(
    command
      .description('remove runs: their outcomes, what tasks printed, and all else that is kept of them')
      .argument('<run-id...>', 'the runs, as `runtime status` lists them')
      .option('--force', 'also runs with tasks that have not ended, or did not end done, or that cannot be read')
      .option('--dry-run', 'show what would be removed, and remove nothing')
      .option('--json', 'print one JSON document')
      .option('--no-color', 'no colours'),
  ).addHelpText(
    'after',
    `
All of them, or none: where one must not be removed, each reason is named, and nothing is. A run that goes on is never
removed.

Examples:
  runtime results nightly > nightly.ndjson && runtime rm nightly
  runtime rm nightly weekly --dry-run

Exit codes: 0 removed, 1 something speaks against it, 64 wrong usage.`,
  );
}

/** The flags of `runtime prune`. */
export function describePrune(command: Command): Command {
  return addWhere(
    command
      .description('remove all runs that have ended with every task done, and were last written to long ago')
      .usage('--older <duration> [options]')
      .option('--older <duration>', 'those that nothing was written to for so long, such as 30d')
      .option('--not-done', 'also runs with tasks that ended failed, crashed, timed-out or cancelled')
      .option('--dry-run', 'show what would be removed, and remove nothing')
      .option('--json', 'print one JSON document')
      .option('--no-color', 'no colours'),
  ).addHelpText(
    'after',
    `
A run that goes on is never removed, nor one with tasks that have not ended, files that are not ours, or a queue that
cannot be read: runtime rm <run-id> --force does that.

Examples:
  runtime prune --older 30d --dry-run
  runtime prune --older 12h --not-done

Exit codes: 0 success, 1 a run could not be removed, 64 wrong usage.`,
  );
}
