/** The flags of a command, as its table of options has them. */
import type { Command, Option as CommanderOption } from 'commander';
import { shownDefault, type Kind, type Option, type Options } from '../../options/option.js';

const collected = (value: string, before: string[] | undefined) => [...(before ?? []), value];

const UNDONE = 'whatever the config file says';

/** Gives a command the flags of a table, in its order and groups. */
export function addFlags(command: Command, rows: Options): Command {
  for (const row of Object.values(rows)) {
    if (row.flag === undefined) continue;
    if (row.group !== undefined) command.optionsGroup(row.group);
    if (row.repeats) command.option(row.flag, helpOf(row), collected);
    else command.option(row.flag, helpOf(row));
    if (row.takes.offers !== undefined) offers.set(command.options.at(-1)!, row.takes.offers);
    if (row.off !== undefined) command.option(row.flag.replace('--', '--no-'), row.off === true ? UNDONE : row.off);
  }
  return command;
}

const offers = new WeakMap<CommanderOption, NonNullable<Kind<unknown>['offers']>>();

/** What the row of a flag offers to a shell; `undefined`: nothing, or the flag is of no table. */
export function offersOfFlag(flag: CommanderOption): Kind<unknown>['offers'] {
  return offers.get(flag);
}

/** A flag and its short form, without what it takes: `--threads`. */
export function flagNames(rows: Options): string[] {
  return Object.values(rows).flatMap(({ flag, off }) => {
    if (flag === undefined) return [];
    const name = flag.split(' ', 1)[0]!;
    return off === undefined ? [name] : [name, name.replace('--', '--no-')];
  });
}

/** What the help says of a flag, and of its default. */
export function helpOf(row: Option): string {
  // What turns on what is on by default is of use against a config file alone.
  if (row.off !== undefined) return row.unset === true ? `${row.says}, ${UNDONE}` : row.says;
  const unset = defaultSaid(row);
  return unset === undefined ? row.says : `${row.says} (default: ${unset})`;
}

/** Of a flag that is off unless it is given, nothing need be said. */
function defaultSaid(row: Option): string | undefined {
  const { unsetSays, variable, variableUnit = '' } = row;
  const unset = shownDefault(row);
  const said = unsetSays ?? (typeof unset === 'boolean' ? undefined : unset?.toString());
  return variable === undefined ? said : `$${variable}${variableUnit}, else the config file, else ${said}`;
}
