#!/usr/bin/env node
/** The command `runtime`. Each command is loaded when it is called, so that all start fast. */
import { Command, CommanderError } from 'commander';
import { errorText, EXIT, exitCodeOfError, exitCodeOfSignal } from './exit-code.js';

type Given = Record<string, unknown>;

const program = new Command('runtime')
  .description('Runs functions as tasks on worker threads: one executor at a time, nothing lost, nothing hidden.')
  .version('0.1.0')
  .showHelpAfterError(false)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'runtime: ')) });

/** The reader of a pipe has gone, as with `| head`: end as other commands do. `run` deals with it itself. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodeOfSignal('SIGPIPE'));
  });
}

let exitCode: number = EXIT.ok;
const does =
  <Args extends unknown[]>(action: (...args: Args) => Promise<number>) =>
  async (...args: Args) => {
    exitCode = await action(...args);
  };

program
  .command('run')
  .description('run a handler of a module over many inputs; the same command continues where it stopped')
  .argument('[module]', 'JavaScript or TypeScript file that exports the handlers')
  .option('--each <glob>', 'a task for each file that matches; its input is the path')
  .option('--tasks <file>', 'a task for each line of an NDJSON file, "-" for standard input')
  .option('--lines', 'a task for each line of standard input')
  .option('--handler <export>', 'the export that runs tasks that name none (default: the default or only export)')
  .option('--run-id <id>', 'names the run and its state on disk (default: the name of the module)')
  .option('--threads <n>', 'worker threads (default: what the machine offers)')
  .option('--concurrency <n>', 'async tasks in flight in one thread (default: 1)')
  .option('--timeout <duration>', 'for one attempt at a task, such as 30s (default: none)')
  .option('--grace <duration>', 'from the abort of a task to the end of its thread (default: 2s)')
  .option('--retries <n>', 'tries after the first one (default: 0)')
  .option('--memory <size>', 'heap limit of one thread, such as 512MB')
  .option('--max-crashes <n>', 'crashes after which a task is given up (default: 3)')
  .option('--recycle-after-tasks <n>', 'replace a thread after so many tasks')
  .option('--recycle-above-memory <size>', 'replace a thread when its heap is above this')
  .option('--stall-after <duration>', 'warn of a thread that is silent for so long (default: 30s)')
  .option('--results <file>', 'write the outcomes as NDJSON, "-" for standard output')
  .option('--fresh', 'forget what the run has recorded, and start it over')
  .option('--retry-failed', 'run tasks again that ended failed, crashed, timed-out or cancelled')
  .option('--wait <duration>', 'wait for another executor of the run to end (default: not at all)')
  .option('--dir <folder>', 'where all state is kept (default: $RUNTIME_DIR, else .runtime)')
  .option('--no-durable', 'keep the queue in memory: faster, and gone with the process')
  .option('--no-supervise', 'one process, for systemd, Kubernetes and the like')
  .option('--json', 'print the summary as JSON to standard output')
  .option('--quiet', 'no progress, no summary; errors only')
  .option('--no-color', 'no colours')
  // Unknown ones are told together with all other faults.
  .allowUnknownOption()
  .allowExcessArguments()
  .action(
    does(async (module: string | undefined, given: Given, command: Command) => {
      const { run } = await import('./run.js');
      return run(module, given, command.args.slice(1));
    }),
  )
  .addHelpText(
    'after',
    `
Examples:
  runtime run resize.mjs --each 'photos/**/*.jpg'
  runtime run crawl.mjs --tasks pages.ndjson --concurrency 20 --timeout 30s --retries 2
  find . -name '*.log' | runtime run scan.mjs --lines --results -

Exit codes: 0 all tasks done, 1 could not run, 3 some tasks did not end done,
64 wrong usage, 128+n stopped by signal n (the same command continues).`,
  );

program
  .command('results')
  .description('print recorded outcomes as NDJSON, in the order they were recorded')
  .argument('<run-id>')
  .option('--state <state>', 'only done, failed, crashed, timed-out or cancelled ones')
  .option('--dir <folder>')
  .action(does(async (runId: string, given: Given) => (await import('./results.js')).results(runId, given)));

program
  .command('status')
  .description('show where a run stands, or all runs')
  .argument('[run-id]')
  .option('--json', 'print one JSON document')
  .option('--no-color', 'no colours')
  .option('--dir <folder>')
  .action(does(async (runId: string | undefined, given: Given) => (await import('./status.js')).status(runId, given)));

const lock = program.command('lock').description('look at the locks of runs, and remove what a dead holder left');
lock
  .command('list')
  .description('all locks, and who holds them')
  .option('--json', 'print one JSON document')
  .option('--dir <folder>')
  .action(does(async (given: Given) => (await import('./lock.js')).lockList(given)));
lock
  .command('show')
  .description('who holds the lock of a run')
  .argument('<run-id>')
  .option('--json', 'print one JSON document')
  .option('--dir <folder>')
  .action(does(async (runId: string, given: Given) => (await import('./lock.js')).lockShow(runId, given)));
lock
  .command('release')
  .description('remove the lock file of a dead holder; refused while the holder lives')
  .argument('<run-id>')
  .option('--dir <folder>')
  .action(does(async (runId: string, given: Given) => (await import('./lock.js')).lockRelease(runId, given)));

for (const [name, description] of [
  ['pause', 'let a run start no more tasks; what runs goes on'],
  ['resume', 'let a paused run go on'],
  ['drain', 'let a run finish what is running, and end; the same command continues it'],
] as const) {
  program
    .command(name)
    .description(description)
    .argument('<run-id>')
    .option('--dir <folder>')
    .action(does(async (runId: string, given: Given) => (await import('./steer.js')).steer(name, runId, given)));
}

if (process.argv[2] !== 'run') endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version were asked for: these are no faults.
    exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(errorText(error));
    exitCode = exitCodeOfError(error);
  }
}
// A run that was refused may leave standard input open, which would keep the process.
if (process.argv[2] === 'run') process.exit(exitCode);
process.exitCode = exitCode;
