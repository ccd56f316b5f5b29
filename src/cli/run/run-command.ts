import type { Command } from 'commander';
import { CONFIG, FOLDER } from '../arguments/common-flags.js';

const collected = (value: string, before: string[] | undefined) => [...(before ?? []), value];

/** The arguments and flags of `runtime run`; they are checked all together, in `run-flags.ts`. */
export function describeRun(command: Command): Command {
  return (
    command
      .description('run a handler of a module over many inputs; the same command goes on where it stopped')
      .usage('<module> (--each <glob> | --tasks <file> | --lines) [options]')
      .argument('[module]', 'JavaScript or TypeScript file that exports the handlers')
      .optionsGroup('Tasks:')
      .option('--each <glob>', 'a task for each file that matches; its input is the path')
      .option('--exclude <glob>', 'leave out what matches; may be repeated', collected)
      .option('--follow', 'follow links to folders (default: only the one that --each names)')
      .option('--tasks <file>', 'a task for each line of an NDJSON file, "-" for standard input')
      .option('--lines', 'a task for each line of standard input')
      .option('--null', 'with --lines: they end with NUL, as find -print0 writes them')
      .option('--big-integers', 'whole numbers beyond 2^53-1 in a task file become BigInts (default: refused)')
      .option('--no-big-integers', 'whatever the config file says')
      .option('--handler <export>', 'the export that runs tasks that name none (default: the default or only export)')
      .option('--timeout <duration>', 'for one attempt at a task, such as 30s (default: none)')
      .option('--retries <n>', 'tries after the first one (default: 0)')
      .option('--max-crashes <n>', 'crashes after which a task is given up (default: 3)')
      .optionsGroup('The run:')
      .option('--run-id <id>', 'names the run and its state on disk (default: the name of the module)')
      .option('--fresh', 'forget what the run has recorded, and start it over')
      .option('--retry-failed', 'run tasks again that ended failed, crashed, timed-out or cancelled')
      .option('--keep-queued', 'run what an earlier start left queued also where this input does not name it')
      .option('--wait <duration>', 'wait for another executor of the run to end (default: not at all)')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .option('--durable', 'keep the queue on disk, whatever the config file says')
      .option('--no-durable', 'keep the queue in memory: faster, and gone with the process')
      .option('--supervise', 'two processes, whatever the config file says')
      .option('--no-supervise', 'one process, for systemd, Kubernetes and the like')
      .option(
        '--http <[host:]port>',
        'serve /livez, /readyz, /startupz and /metrics, on 127.0.0.1 unless a host is given',
      )
      .optionsGroup('Threads:')
      .option('--threads <n>', 'worker threads (default: what the machine offers)')
      .option('--concurrency <n>', 'async tasks in flight in one thread (default: 1)')
      .option(
        '--memory <size>',
        'limit of one thread, heap and external memory, such as 512MB (default: what Node sets)',
      )
      .option('--memory-total <size>', 'limit of the whole process, such as 4GB (default: none)')
      .option('--grace <duration>', 'from the abort of a task to the end of its thread (default: 2s)')
      .option('--recycle-after-tasks <n>', 'replace a thread after so many tasks (default: never)')
      .option(
        '--recycle-above-memory <size>',
        'replace a thread that holds more than this between tasks (default: never)',
      )
      .option('--stall-after <duration>', 'tell where a task stands that runs for so long (default: 30s)')
      .option(
        '--fail-on-leak',
        'exit with 1 when tasks leave async functions or open file streams behind in the threads',
      )
      .option('--no-fail-on-leak', 'whatever the config file says')
      .optionsGroup('Output:')
      .option(
        '--results <file>',
        'write the outcomes of the run as NDJSON; "-": those of this command, to standard output',
      )
      .option('--json', 'print the summary as JSON to standard output')
      .option('--quiet', 'no progress, no summary; errors only')
      .option('--no-color', 'no colours')
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
