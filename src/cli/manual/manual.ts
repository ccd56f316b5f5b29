/** The manual page, from the commands as they describe themselves: what `--help` says, in one place. */
import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { EXIT } from '../exit-code.js';
import { heading, item, paragraph, roff, subheading, verbatim } from './roff.js';

/** `runtime man` */
export function manual(program: Command): Promise<number> {
  process.stdout.write(manualPage(program));
  return Promise.resolve(EXIT.ok);
}

export function manualPage(program: Command): string {
  const commands = shownBelow(program);
  return [
    // Without a date: the page is that of a version, and is made anew with each change.
    `.TH RUNTIME 1 "" "holdfast ${roff(program.version() ?? '')}" "holdfast"\n`,
    heading('NAME'),
    `runtime, holdfast \\- ${roff(lowered(program.description()))}\n`,
    heading('SYNOPSIS'),
    ...commands.map((command) => `.B runtime ${roff(`${command.name()} ${command.usage()}`)}\n.br\n`),
    heading('DESCRIPTION'),
    paragraph(program.description()),
    ...textsAfter(program),
    heading('COMMANDS'),
    ...commands.flatMap((command) => section(command, command.name())),
    heading('FILES'),
    item('.runtime/', 'the state of all runs: queues, locks, health; another folder by --dir or RUNTIME_DIR'),
    item('runtime.config.{ts,js,json,yaml}', 'the config file of a folder; runtime config schema prints what it takes'),
    heading('SEE ALSO'),
    paragraph('The guides in the folder docs of the package: running.md, config.md, errors.md, inspect.md.'),
  ].join('');
}

function section(command: Command, path: string): string[] {
  const help = command.createHelp();
  const below = shownBelow(command);
  if (below.length > 0) return below.flatMap((each) => section(each, `${path} ${each.name()}`));
  return [
    subheading(`runtime ${path} ${command.usage()}`),
    paragraph(`${capital(command.description())}.`),
    ...help.visibleArguments(command).map((argument) => item(help.argumentTerm(argument), argument.description)),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((option) => item(help.optionTerm(option), option.description)),
    ...textsAfter(command),
  ];
}

function shownBelow(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((below) => below.name() !== 'help');
}

/** What a command adds to its help: examples, exit codes. */
function textsAfter(command: Command): string[] {
  let text = '';
  // It is one, but its types do not say so.
  const emitter = command as unknown as EventEmitter;
  emitter.emit('afterHelp', { error: false, command, write: (more: string) => (text += more) });
  return text.trim() === '' ? [] : [verbatim(text.trim())];
}

const capital = (text: string) => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
const lowered = (text: string) => text.replace(/^[A-Z]/, (letter) => letter.toLowerCase()).replace(/\.$/, '');
