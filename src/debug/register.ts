/**
 * `node --import holdfast/debug app.js`: looks into a program that knows
 * nothing of it, as `ASYNC_DEBUG` does into the command. With `ASYNC_DEBUG=0`
 * it does nothing.
 */
import { writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { HoldfastError } from '../base/errors.js';
import { StateDir } from '../system/state-dir.js';
import { traceSettings, type TraceSettings } from './trace/settings.js';

/** When the program has loaded, most likely, in ms; one that ends before has its dump at the end. */
const FIRST_AFTER_MS = 1_000;

/** What the last dump may take, in ms: a thread may be paused for 5 s in it, with others before and after it; then heaps are read. */
const LAST_DUMP_MS = 20_000;

/** What `runtime` exits with, too, where a setting is wrong. */
const EXIT_USAGE = 64;

const settings = settingsOrExit();
if (settings !== undefined) {
  if (isMainThread) await trace(settings);
  // Worker threads run this file, too. They are looked at from the main thread, but for their hooks.
  else if (settings.hooks) (await import('./hooks/hooks.js')).startHooks();
}

function settingsOrExit(): TraceSettings | undefined {
  try {
    return traceSettings(process.env, 'on');
  } catch (error) {
    const { message, hint } = error as HoldfastError;
    say(`${message}\n${hint}`);
    process.exit(EXIT_USAGE);
  }
}

async function trace(on: TraceSettings): Promise<void> {
  const script = basename(process.argv[1] ?? 'node');
  let folder: string;
  try {
    folder = new StateDir().ensureDebugDir();
  } catch (error) {
    return say(`no dumps: ${(error as Error).message}`);
  }
  const { startTrace } = await import('./trace/start-trace.js');
  const log = await startTrace(on, {
    path: join(folder, `${script.replace(/\.[cm]?[jt]s$/, '')}-${process.pid}.log`),
    title: `${script}, process ${process.pid}`,
    firstAfterMs: Math.min(FIRST_AFTER_MS, on.intervalMs),
    onUnwritable: ({ message }) => say(`no dumps: ${message}`),
  });
  // The last dump turns the event loop, and so the process ends a second time.
  process.once('beforeExit', () => void log.end({ lastDump: true, withinMs: LAST_DUMP_MS }));
  say(`dumps go to ${log.path}`);
}

/** Not by `process.stderr`, which would show among what the program has open. */
function say(text: string): void {
  try {
    writeSync(2, `holdfast: ${text}\n`);
  } catch {
    // Nobody reads it.
  }
}
