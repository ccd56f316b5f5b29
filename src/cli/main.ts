#!/usr/bin/env node
/** The command `runtime`. Each command is loaded when it is called, so that all start fast. */
import { Command, CommanderError } from 'commander';
import { traceWithoutRun } from './async-debug.js';
import { CONFIG, FOLDER } from './arguments/common-flags.js';
import { takeConfig } from './arguments/config-values.js';
import { describeCompletion } from './completion/completion-command.js';
import { errorText, EXIT, exitCodeOfError, exitCodeOfSignal } from './exit-code.js';
import { describeLogs } from './runs/logs/logs-command.js';
import { describePrune, describeRm } from './runs/removal/removal-commands.js';
import {
  describeAdd,
  describeCancel,
  describeRetry,
  describeScale,
  describeSteer,
} from './runs/steer/steer-commands.js';
import { didYouMean } from '../base/faults.js';
import { printableLines } from '../base/printable.js';
import { exitWith, tell } from './screen/terminal.js';

type Given = Record<string, unknown>;

const program = new Command('runtime')
  .description('Runs functions as tasks on worker threads: one executor at a time, nothing lost, nothing hidden.')
  .version('0.1.0', '-V, --version', 'show the version')
  .helpOption('-h, --help', 'show this')
  .helpCommand('help [command]', 'show how a command is used')
  .exitOverride()
  .addHelpText(
    'after',
    '\nASYNC_DEBUG=1 before any of them: dumps of what it awaits, as it goes on; see docs/async-debug.md.',
  )
  .configureOutput({ outputError: (text, write) => write(printableLines(text.replace(/^error: /, 'runtime: '))) });

/** The reader of a pipe has gone, as with `| head`: end as other commands do. `run` deals with it itself. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodeOfSignal('SIGPIPE'));
    tell(`runtime: standard output cannot be written: ${error.message}`);
    process.exit(EXIT.failure);
  });
}

let exitCode: number = EXIT.ok;
const does =
  <Args extends unknown[]>(action: (...args: Args) => Promise<number>) =>
  async (...args: Args) => {
    exitCode = await action(...args);
  };

/**
 * Each adds one command. What one takes is loaded with it: a health probe has no use
 * for the tables of options of others.
 */
const commands: Readonly<Record<string, () => unknown>> = {
  run: async () =>
    (await import('./run/run-command.js')).describeRun(program.command('run')).action(
      does(async (module: string | undefined, given: Given, command: Command) => {
        const { run } = await import('./run/run.js');
        return run(module, given, command.args.slice(1));
      }),
    ),

  'dry-run': async () =>
    (await import('./dry-run/dry-run-command.js'))
      .describeDryRun(program.command('dry-run'))
      .action(
        does(async (given: Given, command: Command) =>
          (await import('./dry-run/dry-run.js')).dryRun(given, command.args),
        ),
      ),

  smoke: async () =>
    (await import('./smoke/smoke-command.js'))
      .describeSmoke(program.command('smoke'))
      .action(
        does(async (given: Given, command: Command) => (await import('./smoke/smoke.js')).smoke(given, command.args)),
      ),

  results: () =>
    program
      .command('results')
      .description('print recorded outcomes as NDJSON, in the order they were recorded')
      .argument('<run-id>', 'the run, as `runtime status` lists it')
      .option('--state <state>', 'only done, failed, crashed, timed-out or cancelled ones, or all that are not-done')
      .option('--with-input', 'each with what the task was given (default: of a run of --lines)')
      .option('--follow', 'go on with outcomes as they come, until the run has ended')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .addHelpText(
        'after',
        `
Examples:
  runtime results nightly --state not-done
  runtime results nightly --follow | jq -r 'select(.state == "failed") | .id'

Exit codes: 0 success, 1 there is no such run, or a record is damaged, 64 wrong usage, 128+n ended by signal n.`,
      )
      .action(does(async (runId: string, given: Given) => (await import('./runs/results.js')).results(runId, given))),

  status: () =>
    program
      .command('status')
      .description('show how a run is doing, or all runs')
      .argument('[run-id]', 'the run (default: all)')
      .option('--probe <question>', 'live, ready or startup: answer by the exit code, 0 or 1, within 200 ms')
      .option('--watch [interval]', 'show it again and again, until Ctrl-C (default: every 1s)')
      .option('--json', 'print one JSON document; with --watch one a line')
      .option('--no-color', 'no colours')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .addHelpText(
        'after',
        `
Examples:
  runtime status                 all runs, a line each
  runtime status nightly --watch
  runtime status nightly --probe ready

Exit codes: 0 success, 1 there is no such run, or the probe says no, 64 wrong usage, 128+n ended by signal n.`,
      )
      .action(
        does(async (runId: string | undefined, given: Given) => {
          if (given['watch'] !== undefined) return (await import('./runs/watch/watch.js')).watch(runId, given as never);
          if (given['probe'] === undefined) return (await import('./runs/status.js')).status(runId, given);
          return (await import('./runs/probe.js')).probe(runId, given['probe'] as string, given);
        }),
      ),

  inspect: async () =>
    (await import('./inspect/inspect-command.js'))
      .describeInspect(program.command('inspect'))
      .action(
        does(async (target: string | undefined, given: Given, command: Command) =>
          (await import('./inspect/inspect.js')).inspect(target, given, command.args.slice(1)),
        ),
      ),

  logs: () =>
    describeLogs(program.command('logs')).action(
      does(async (runId: string, taskId: string | undefined, given: Given) =>
        (await import('./runs/logs/logs.js')).logs(runId, taskId, given),
      ),
    ),

  rm: () =>
    describeRm(program.command('rm')).action(
      does(async (runIds: string[], given: Given) => (await import('./runs/removal/rm.js')).rm(runIds, given)),
    ),

  prune: () =>
    describePrune(program.command('prune')).action(
      does(async (given: Given) => (await import('./runs/removal/prune.js')).prune(given)),
    ),

  lock: () => {
    const lock = program.command('lock').description('look at the locks of runs, and remove what a dead holder left');
    lock
      .command('list')
      .description('all locks, and who holds them')
      .option('--json', 'print one JSON document')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .action(does(async (given: Given) => (await import('./runs/lock.js')).lockList(given)));
    lock
      .command('show')
      .description('who holds the lock of a run')
      .argument('<run-id>', 'the run, as `runtime status` lists it')
      .option('--json', 'print one JSON document')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .action(does(async (runId: string, given: Given) => (await import('./runs/lock.js')).lockShow(runId, given)));
    lock
      .command('release')
      .description('remove the lock file of a dead holder; refused while the holder lives')
      .argument('<run-id>', 'the run, as `runtime status` lists it')
      .option('--dir <folder>', FOLDER)
      .option('--config <file>', CONFIG)
      .action(does(async (runId: string, given: Given) => (await import('./runs/lock.js')).lockRelease(runId, given)));
  },

  pause: () => steering('pause', 'let a run start no more tasks; what runs goes on'),

  resume: () => steering('resume', 'let a paused run go on'),

  drain: () => steering('drain', 'let a run finish what is running, and end; the same command goes on'),

  cancel: () =>
    describeCancel(program.command('cancel')).action(
      does(async (runId: string, taskIds: string[], given: Given) =>
        (await import('./runs/steer/change-tasks.js')).cancel(runId, taskIds, given),
      ),
    ),

  retry: () =>
    describeRetry(program.command('retry')).action(
      does(async (runId: string, taskIds: string[], given: Given) =>
        (await import('./runs/steer/change-tasks.js')).retry(runId, taskIds, given),
      ),
    ),

  add: () =>
    describeAdd(program.command('add')).action(
      does(async (runId: string, given: Given) => (await import('./runs/steer/add.js')).add(runId, given)),
    ),

  scale: () =>
    describeScale(program.command('scale')).action(
      does(async (runId: string, threads: string, given: Given) =>
        (await import('./runs/steer/scale.js')).scale(runId, threads, given),
      ),
    ),

  config: () => {
    const config = program.command('config').description('check the config file, and see what it may hold');
    config
      .command('check')
      .description('tell all that is wrong with the config file, or what it says')
      .argument('[file]', CONFIG)
      .option('--config <file>', 'the same')
      .option('--json', 'print one JSON document')
      .action(
        does(async (file: string | undefined, given: Given) =>
          (await import('./config/config.js')).configCheck(file, given),
        ),
      );
    config
      .command('schema')
      .description('print the JSON Schema of the config file: every key, what it takes, its default')
      .action(does(async () => (await import('./config/config.js')).configSchema()));
  },

  init: () =>
    program
      .command('init')
      .description('write a handler and a config file to start from; nothing is overwritten')
      .argument('[folder]', 'where to (default: this folder)')
      .action(does(async (folder: string | undefined) => (await import('./init/init.js')).init(folder))),

  completion: () =>
    describeCompletion(program.command('completion')).action(
      does(async (shell: string) => (await import('./completion/completion.js')).completion(shell)),
    ),

  man: () =>
    program
      .command('man')
      .description('print the manual page, for man: runtime man | man -l -')
      .action(does(async () => (await import('./manual/manual.js')).manual(program))),

  complete: () =>
    program
      .command('complete', { hidden: true })
      .description('print what may stand where the cursor is; what `runtime completion` prints asks it')
      .argument('[words...]')
      .action(does(async (words: string[]) => (await import('./completion/completion.js')).complete(program, words))),
};

function steering(name: 'pause' | 'resume' | 'drain', description: string): void {
  describeSteer(program.command(name), description).action(
    does(async (runId: string, given: Given) => (await import('./runs/steer/steer.js')).steer(name, runId, given)),
  );
}

/** These ask for all of them; and so does help, or a command that is not there. */
const ASK_ALL = ['man', 'complete'];
const [, , typed = ''] = process.argv;
const isAlone = Object.hasOwn(commands, typed) && !ASK_ALL.includes(typed);
for (const [name, add] of Object.entries(commands)) if (!isAlone || name === typed) await add();

program.hook('preAction', (_, command) => takeConfig(command));
program.hook('preAction', (_, command) => traceWithoutRun(command));

/** Words of commander name no way on. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`How it is used: ${path} --help`);
  for (const below of command.commands) pointToHelp(below, `${path} ${below.name()}`);
}
pointToHelp(program, 'runtime');

/** Asked for the help of a command that is not there, commander shows that of the one above, and all seems well. */
function refuseHelpOfUnknown(above: Command, [word, ...rest]: readonly string[]): void {
  if (word === 'help') return refuseHelpOfUnknown(above, [...rest, '--help']);
  if (word === undefined || word.startsWith('-') || above.commands.length === 0) return;
  const command = above.commands.find((each) => each.name() === word);
  if (command !== undefined) refuseHelpOfUnknown(command, rest);
  else if (rest.includes('--help') || rest.includes('-h')) {
    const names = above.commands.map((each) => each.name());
    above.error(`error: unknown command '${word}'${didYouMean(word, names)}`);
  }
}

if (process.argv[2] !== 'run') endWithReader();
try {
  refuseHelpOfUnknown(program, process.argv.slice(2));
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
// What a config file that is a module left open, or the standard input of a run that was refused, would keep the process.
await exitWith(exitCode);
