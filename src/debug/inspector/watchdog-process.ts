/**
 * Waits for the end of the process that started it, see `watchdog.ts`, and
 * cleans up after it. Its standard input ends when that process does; what
 * comes before tells what there is to do: `o` an inspector opens, `c` none does
 * (any more), `p` a worker pauses.
 *
 *   node watchdog-process.js <pid> <start ticks> <folder> <ports that listened before>
 *
 * What it needs for that is loaded only then: mostly, it is not.
 */
import { closeSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Inspector, inspectorBeside as find } from './find-inspector.js';

/** Descriptor that holds the turn. */
const LOCK = 3;

/** An inspector that does not open within this time, in ms, waits for native code to end. Others get their turn meanwhile. */
const SOON_MS = 1_000;

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
  const { inspectorAmong, inspectorBeside } = await import('./find-inspector.js');
  const opens = words.lastIndexOf('o') > words.lastIndexOf('c');
  const inspector = opens ? await opened(inspectorBeside) : await inspectorAmong(target.pid, before);
  if (inspector === undefined) return;
  if (words.includes('p')) await resume(inspector);
  if (!opens) return;
  const [{ closeInspector }, { isAlive }] = await Promise.all([
    import('./close-inspector.js'),
    import('./target-process.js'),
  ]);
  // In native code, as while its heap is written, it does nothing that it is told: seen for 23 s.
  for (const start = performance.now(); performance.now() - start < PATIENCE_MS && isAlive(target);) {
    if (await closeInspector(target.pid, inspector)) return;
  }
}

/** The inspector, when it opens. */
async function opened(inspectorBeside: typeof find): Promise<Inspector | undefined> {
  const { isAlive } = await import('./target-process.js');
  const { takeTurn } = await import('./turn.js');
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

async function resume({ url }: Inspector): Promise<void> {
  const { connect } = await import('./web-socket-session.js');
  const { attachWorkers, resumeWorkers } = await import('./worker-sessions.js');
  try {
    const { session, close } = await connect(url, SOON_MS);
    const workers = await attachWorkers(session);
    await resumeWorkers(workers);
    await workers.letGo();
    close();
  } catch {
    // The process ends, or its main thread is blocked: nothing that can be mended from here.
  }
}
