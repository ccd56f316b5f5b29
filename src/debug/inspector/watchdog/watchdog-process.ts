/**
 * Waits for the end of the process that started it, see `watchdog.ts`, and
 * cleans up after it. Its standard input ends when that process does; what
 * comes before tells what there is to do: `o` an inspector opens, `e` it was
 * asked to close, `c` none is open (any more).
 *
 *   node watchdog-process.js <pid> <start ticks> <folder> <ports that listened before>
 *
 * What it needs for that is loaded only then: mostly, it is not.
 */
import { closeSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Inspector, inspectorBeside as find } from '../find-inspector.js';

/** Descriptor that holds the turn. */
const LOCK = 3;

/** An inspector that does not open within this time, in ms, waits for native code to end. Others get their turn meanwhile. */
const SOON_MS = 1_000;

/** One that was asked to close, in ms, before it is asked again: it may not have been heard. */
const ASKED_MS = 10_000;

/** After that, in ms, it is left to itself. */
const PATIENCE_MS = 60_000;

const [pid, startTicks, folder, ports] = process.argv.slice(2) as [string, string, string, string];
const target = { pid: Number(pid), startTicks: Number(startTicks) };
const before = ports.split(',').map(Number);

let words = '';
for await (const chunk of process.stdin.setEncoding('utf8')) words += chunk;
if (words !== '') await cleanUp();
// A snapshot may have been being written there until now.
rmSync(folder, { recursive: true, force: true, maxRetries: 10 });

async function cleanUp(): Promise<void> {
  if (words.endsWith('c')) return;
  // Whoever is no more has asked it to close: most likely that was heard, and then it must be left alone.
  if (words.endsWith('e') && (await closes(ASKED_MS))) return;
  const { inspectorBeside } = await import('../find-inspector.js');
  const inspector = await opened(inspectorBeside);
  if (inspector === undefined) return;
  const [{ closeInspector, isClosedWithin }, { isAlive }] = await Promise.all([
    import('../close-inspector.js'),
    import('../../process/target-process.js'),
  ]);
  let asked = false;
  // In native code, as while its heap is written, it does nothing that it is told: seen for 23 s.
  for (const start = performance.now(); !asked && performance.now() - start < PATIENCE_MS && isAlive(target);) {
    if (await closeInspector(target.pid, inspector, () => (asked = true))) return;
  }
  await isClosedWithin(target.pid, inspector.listener, PATIENCE_MS);
}

/** Whether the inspector is closed within so many ms: nothing listens but what did before. */
async function closes(ms: number): Promise<boolean> {
  const { listenersOf } = await import('../../process/listeners.js');
  const isOpen = () => listenersOf(target.pid).some(({ port }) => !before.includes(port));
  for (const start = performance.now(); isOpen(); await delay(10)) {
    if (performance.now() - start > ms) return false;
  }
  return true;
}

/** The inspector, when it opens. */
async function opened(inspectorBeside: typeof find): Promise<Inspector | undefined> {
  const { isAlive } = await import('../../process/target-process.js');
  const { takeTurn } = await import('../turn.js');
  const start = performance.now();
  let lent = false;
  while (isAlive(target) && performance.now() - start < PATIENCE_MS) {
    const found = await inspectorBeside(target.pid, before);
    if (found) {
      if (lent) await takeTurn({ waitMs: PATIENCE_MS });
      return found;
    }
    if (!lent && performance.now() - start > SOON_MS) {
      closeSync(LOCK);
      lent = true;
    }
    await delay(10);
  }
  return undefined;
}
