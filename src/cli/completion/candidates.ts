/** What may stand where the cursor is: read from the commands themselves, so that none is left out. */
import type { Argument, Command, Option } from 'commander';
import { offersOf, type Offers } from './offers.js';

/** A word that may be typed, and what it does. */
interface Candidate {
  word: string;
  says: string;
}

export interface Candidates {
  words: Candidate[];
  /** What the shell, or the state folder, knows: names of files, folders or runs. */
  names?: 'file' | 'folder' | 'run';
}

/**
 * @param words what is typed behind `runtime`, the last one up to the cursor
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const typed = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { command, awaits, given, ended, args } = reached(program, typed);
  if (awaits !== undefined) return offered(offersOf(awaits), '');
  const [, flag] = /^(--[^=]+)=/.exec(current) ?? [];
  if (flag !== undefined && !ended) {
    const option = optionOf(command, flag);
    return option === undefined ? { words: [] } : offered(offersOf(option), `${flag}=`);
  }
  if (current.startsWith('-') && !ended) return { words: flagsOf(command, given) };
  const below = args.length === 0 ? commandsBelow(command) : [];
  const argument = argumentAt(command, args.length);
  if (argument === undefined) return { words: below };
  const { words: more, ...names } = offered(offersOf(argument), '');
  return { words: [...below, ...more], ...names };
}

interface Reached {
  command: Command;
  /** The flag whose value is to come. */
  awaits: Option | undefined;
  given: ReadonlySet<Option>;
  /** Whether `--` was there: no more flags. */
  ended: boolean;
  args: readonly string[];
}

function reached(program: Command, typed: readonly string[]): Reached {
  let command = program;
  let awaits: Option | undefined;
  let ended = false;
  const given = new Set<Option>();
  const args: string[] = [];
  for (const word of typed) {
    const option = ended || awaits !== undefined ? undefined : optionOf(command, word.split('=', 1)[0]!);
    const below = args.length === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (awaits !== undefined) awaits = undefined;
    else if (word === '--') ended = true;
    else if (option !== undefined) {
      given.add(option);
      if (option.required && !word.includes('=')) awaits = option;
    } else if (below !== undefined) command = below;
    // `runtime help run`: the words are those of a command.
    else if (!word.startsWith('-') && !(command === program && word === 'help')) args.push(word);
  }
  return { command, awaits, given, ended, args };
}

function optionOf(command: Command, flag: string): Option | undefined {
  return flag.startsWith('-') ? command.options.find(({ long, short }) => flag === long || flag === short) : undefined;
}

function flagsOf(command: Command, given: ReadonlySet<Option>): Candidate[] {
  const shown = command.createHelp().visibleOptions(command);
  return shown
    .filter((option) => !given.has(option) || option.description.includes('repeated'))
    .map(({ long, short, description }) => ({ word: long ?? short ?? '', says: description }));
}

function commandsBelow(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((below) => ({ word: below.name(), says: below.description() }));
}

/** The last argument may take the rest. */
function argumentAt(command: Command, index: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[index] ?? (last?.variadic ? last : undefined);
}

function offered(offers: Offers, before: string): Candidates {
  if (offers === undefined) return { words: [] };
  if (typeof offers === 'string') return { words: [], names: offers };
  return { words: offers.map((word) => ({ word: `${before}${word}`, says: '' })) };
}
