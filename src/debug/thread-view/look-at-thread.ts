import { join } from 'node:path';
import type { Analyst } from '../await/analyst.js';
import type { Session } from '../inspector/session.js';
import type { ThreadInspection } from '../inspection.js';
import { formatDuration, formatSize } from '../../runtime/units.js';
import { run } from './ask.js';
import { countOf, shownBranches } from './branches.js';
import { doingOf } from './doing.js';
import { handlesIn, letGo, type Handles } from './handles.js';
import { survey, writeHeap, type Survey } from './in-target.js';
import { handlesOf, leafOf } from './leaf-words.js';
import { locate } from './locate.js';
import { predictPause } from './predict.js';
import { Scripts } from './scripts.js';

/** A thread that has not answered by then, in ms, is in native code: JavaScript is interrupted at once, a long garbage collection is not. */
const ANSWER_MS = 1_500;

/** For writing a heap: so many times what was predicted, and so many ms. */
const PATIENCE = 10;
const PATIENCE_MS = 30_000;

/** Of the pauses to find out where each `await` stands, together, in ms; and never longer than the pause for the heap may be. */
const LOCATE_MS = 1_000;

export interface LookSettings {
  all: boolean;
  maxPauseMs: number;
  /** Private folder, for the heap. */
  folder: string;
  analyst: Analyst;
  /** Told before a thread is made to stand. */
  onNote?: ((note: string) => void) | undefined;
  /** How the limit is raised, for the sentence that tells of it: `--max-pause`. */
  raiseBy: string;
}

export interface LookedAt {
  thread: ThreadInspection;
  /** `undefined` where the thread did not answer. */
  survey: Survey | undefined;
}

/** Looks at one thread: what it does, and what it awaits. */
export async function lookAtThread(
  { threadId, name, session }: { threadId: number; name: string; session: Session },
  settings: LookSettings,
): Promise<LookedAt> {
  let found: Survey;
  try {
    found = await run(session, survey, [], ANSWER_MS);
  } catch (error) {
    return { thread: blocked(threadId, name, error as Error), survey: undefined };
  }
  const predictedMs = predictPause(found.smallObjects);
  const thread: ThreadInspection = {
    ...blocked(threadId, name),
    heapUsed: found.heapUsed,
    pause: { predictedMs, measuredMs: null },
    notes: [],
  };
  const scripts = new Scripts(session);
  try {
    await scripts.load();
    Object.assign(thread, doingOf(found.frames, scripts, settings.all));
    if (predictedMs > settings.maxPauseMs) {
      thread.notes.push(
        `its heap of ${formatSize(found.heapUsed)} was not walked through, so what it awaits is not known: ` +
          `it would stand still for about ${formatDuration(predictedMs)}, more than ${formatDuration(settings.maxPauseMs)} ` +
          `(${settings.raiseBy} ${Math.ceil(predictedMs / 1000)}s allows it)`,
      );
      thread.handles = handlesOf((await handlesIn(session, false)).raw);
    } else await walk(thread, found, scripts, session, settings);
  } finally {
    await leave(session);
  }
  return { thread, survey: found };
}

async function walk(
  thread: ThreadInspection,
  found: Survey,
  scripts: Scripts,
  session: Session,
  { all, maxPauseMs, folder, analyst, onNote }: LookSettings,
): Promise<void> {
  const { predictedMs } = thread.pause as { predictedMs: number };
  onNote?.(`${thread.name} stands still for about ${formatDuration(predictedMs)} while its heap is written`);
  const path = join(folder, `${thread.threadId}.heapsnapshot`);
  let handles: Handles;
  try {
    await session.call('HeapProfiler.enable');
    const measured = await run(session, writeHeap, [path], predictedMs * PATIENCE + PATIENCE_MS);
    thread.pause.measuredMs = Math.round(measured);
    handles = await handlesIn(session, true);
  } catch (error) {
    thread.notes.push(`its heap could not be walked through: ${(error as Error).message}`);
    return;
  }
  thread.handles = handlesOf(handles.raw);
  const findings = await analyst.analyse(path);
  const shown = shownBranches(findings.branches, {
    scripts,
    all,
    leafOf: (leaf) => leafOf(leaf, found.now, handles.byHeapId, scripts),
    now: Date.now(),
  });
  const skipped = await locate(session, shown, scripts, Math.min(LOCATE_MS, maxPauseMs));
  if (skipped > 0) {
    thread.notes.push(
      `where the await stands was not asked for ${skipped} of the functions: each answer makes the thread stand`,
    );
  }
  thread.view = 'whole';
  thread.awaits = shown.map(({ branch }) => branch);
  thread.suspended = findings.suspended;
  thread.hidden = Math.max(0, findings.suspended - countOf(shown));
}

/** Of a thread of which nothing more is known. */
function blocked(threadId: number, name: string, error?: Error): ThreadInspection {
  return {
    threadId,
    name,
    state: 'blocked',
    stack: [],
    heapUsed: null,
    pause: { predictedMs: null, measuredMs: null },
    view: 'cheap',
    awaits: [],
    suspended: 0,
    hidden: 0,
    handles: [],
    notes: error === undefined ? [] : [`it does not answer: ${error.message}`],
  };
}

/** Leaves the thread as it was. One that has ended meanwhile is left anyway. */
async function leave(session: Session): Promise<void> {
  await Promise.allSettled([
    letGo(session),
    // Also frees the table of heap ids, of which V8 keeps one for each object.
    session.call('HeapProfiler.disable'),
    session.call('Debugger.disable'),
  ]);
}
