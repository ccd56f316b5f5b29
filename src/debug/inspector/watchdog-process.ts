/**
 * Waits for the end of the process that started it, see `watchdog.ts`, and
 * cleans up after it. Its standard input ends when that process does; a byte
 * before says that the inspector opens.
 *
 *   node watchdog-process.js <pid> <start ticks> <folder> <ports that listened before>
 *
 * What it needs for that is loaded only then: mostly, it is not.
 */
import { closeSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Descriptor that holds the turn. */
const LOCK = 3;

/** An inspector that does not open within this time, in ms, waits for native code to end. Others get their turn meanwhile. */
const SOON_MS = 1_000;

/** After that, in ms, it is left to itself. */
const PATIENCE_MS = 60_000;

const [pid, startTicks, folder, ports] = process.argv.slice(2) as [string, string, string, string];
const target = { pid: Number(pid), startTicks: Number(startTicks) };
const before = ports.split(',').map(Number);

let opens = false;
for await (const _ of process.stdin) opens = true;
if (opens) await closeWhatOpens();
// A snapshot may be being written there, until the inspector is closed.
rmSync(folder, { recursive: true, force: true, maxRetries: 10 });

async function closeWhatOpens(): Promise<void> {
  const [{ inspectorBeside }, { closeInspector }, { isAlive }, { takeTurn }] = await Promise.all([
    import('./find-inspector.js'),
    import('./close-inspector.js'),
    import('./target-process.js'),
    import('./turn.js'),
  ]);
  const start = performance.now();
  let lent = false;
  while (isAlive(target) && performance.now() - start < PATIENCE_MS) {
    const found = await inspectorBeside(target.pid, before);
    if (found) {
      if (lent) await takeTurn({ waitMs: PATIENCE_MS });
      await closeInspector(target.pid, found);
      return;
    }
    if (!lent && performance.now() - start > SOON_MS) {
      closeSync(LOCK);
      lent = true;
    }
    await delay(10);
  }
}
