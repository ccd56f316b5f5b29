/** ASYNC_DEBUG: what of a command is looked into, and where its dumps go. Loads nothing where it is off. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { TraceSettings } from '../debug/trace/settings.js';
import type { TraceLog } from '../debug/trace/trace-log.js';
import { TRACE_LOG } from '../runtime/run-folder.js';
import { StateDir } from '../system/state-dir.js';
import { tell } from './screen/terminal.js';

/** A command without a run is dumped once it has gone on for so long, in ms: most have ended by then, and have nothing to tell. */
const NO_RUN_AFTER_MS = 1_000;

/** @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault of the variables `ASYNC_DEBUG…` */
export async function asyncDebug(): Promise<TraceSettings | undefined> {
  if (!process.env['ASYNC_DEBUG']) return undefined;
  return (await import('../debug/trace/settings.js')).traceSettings(process.env);
}

/** Looks into a command that has no run. For those that have one, only checks the settings: they are looked into from their start on. */
export async function traceWithoutRun(command: Command): Promise<void> {
  const settings = await asyncDebug();
  if (settings === undefined || hasRun(command)) return;
  setTimeout(() => {
    const name = command.parent?.parent ? `${command.parent.name()}-${command.name()}` : command.name();
    void openDebugTrace(name, command.getOptionValue('dir') as string | undefined).then((trace) => trace?.start());
  }, NO_RUN_AFTER_MS).unref();
}

/** The trace log of a run. The folder of the run must be there. */
export async function openRunTrace(
  { runDir, runId }: { runDir: string; runId: string },
  onUnwritable: (error: Error) => void = unwritable,
): Promise<TraceLog | undefined> {
  return open(join(runDir, TRACE_LOG), `run ${runId}`, onUnwritable);
}

/** A trace log in the state folder, for what has no run that stays. */
export async function openDebugTrace(name: string, dir?: string): Promise<TraceLog | undefined> {
  if ((await asyncDebug()) === undefined) return undefined;
  try {
    const path = join(new StateDir(dir).ensureDebugDir(), `${name}-${process.pid}.log`);
    return await open(path, `runtime ${name}, process ${process.pid}`, unwritable);
  } catch (error) {
    unwritable(error as Error);
    return undefined;
  }
}

/** Told where one looks for it. */
export function sayWhere(trace: TraceLog): void {
  tell(`runtime: ASYNC_DEBUG: dumps go to ${trace.path}`);
}

async function open(path: string, title: string, onUnwritable: (error: Error) => void): Promise<TraceLog | undefined> {
  const settings = await asyncDebug();
  if (settings === undefined) return undefined;
  const { startTrace } = await import('../debug/trace/start-trace.js');
  return startTrace(settings, { path, title, onUnwritable });
}

function unwritable({ message }: Error): void {
  tell(`runtime: ASYNC_DEBUG: no dumps: ${message}`);
}

/** `--emit` of a dry run has none. */
function hasRun(command: Command): boolean {
  return ['run', 'smoke'].includes(command.name()) || (command.name() === 'dry-run' && !command.getOptionValue('emit'));
}
