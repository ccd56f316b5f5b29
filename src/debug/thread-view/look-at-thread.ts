import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Analyst } from '../await/analyst.js';
import type { AttachedThread } from '../inspector/attached.js';
import { SessionEnded, type Session } from '../inspector/session.js';
import type { AwaitBranch, HooksSnapshot, TaskReference, ThreadInspection } from '../inspection.js';
import { formatDuration, formatSize } from '../../base/units.js';
import { run } from './ask.js';
import { countOf, shownBranches } from './branches.js';
import { doingOf, isBare, runsUserCode, type Doing } from './doing.js';
import { addHandlers } from './handlers.js';
import type { Haste } from './haste.js';
import { handlesIn, tasksIn, type Handles } from './handles.js';
import { letGo } from './hold.js';
import { survey, writeHeap, type Survey } from './in-target.js';
import { handlesOf, leafOf } from './leaf-words.js';
import { isOwnCommand } from './internals.js';
import { locate } from './locate.js';
import type { MemoryBudget } from './memory-need.js';
import { openStreamsIn } from './open-streams.js';
import { runnablePerCore, wasWrong, type PausePredictor } from './predict.js';
import { Scripts } from './scripts.js';

/** A thread that has not answered by then, in ms, is in native code: JavaScript is interrupted at once, a long garbage collection is not. */
const ANSWER_MS = 1_500;

/** For writing a heap: so many times what was predicted, and so many ms. */
const PATIENCE = 10;
const PATIENCE_MS = 30_000;

/** Of the pauses to find out where each `await` stands, together, in ms on an idle machine; and never longer than the pause for the heap may be. */
const LOCATE_MS = 1_000;

/** The same where all is asked for. */
const LOCATE_ALL_MS = 20_000;

/**
 * Where small objects take more bytes than this, and the pause is long anyway, numbers are left out of the heap: in one
 * that is full of them they cost a third more. Without them it is not told when timers are due.
 */
const NUMBERS_BELOW = 18e6;

export interface LookSettings {
  all: boolean;
  maxPauseMs: number;
  /** Private folder, for the heap. */
  folder: string;
  analyst: Analyst;
  predictor: PausePredictor;
  memory: MemoryBudget;
  /** Told before a thread is made to stand. */
  onNote?: ((note: string) => void) | undefined;
  /** Of the branches on top, those that are wanted; default all. */
  keep?: ((top: AwaitBranch) => boolean) | undefined;
  haste?: Haste | undefined;
  /** Whether open streams are looked for; default `false`: it takes another collection of garbage. */
  openStreams?: boolean | undefined;
}

/** Asks a thread what it does; `silent`: it does not answer, `ended`: it is there no more. */
export async function surveyOf({ session }: AttachedThread): Promise<Survey | 'silent' | 'ended'> {
  try {
    return await run(session, survey, [], ANSWER_MS);
  } catch (error) {
    return error instanceof SessionEnded ? 'ended' : 'silent';
  }
}

/** Looks at a thread that has answered: what it does, and what it awaits. */
export async function lookAtThread(
  { threadId, name, session }: AttachedThread,
  found: Survey,
  settings: LookSettings,
): Promise<ThreadInspection> {
  const { all, predictor, haste } = settings;
  haste?.onSeen();
  const predictedMs = predictor.predict(threadId, found.smallObjects);
  const scripts = new Scripts(session, found.tasks !== null || isOwnCommand(found.command));
  try {
    // Before the heap is written: this counts the lines of all scripts, once. Else V8 counts them anew for the place of
    // each function: a program with one script of 9 MB stood for 18 s instead of 0.6 s.
    await scripts.load();
    const thread: ThreadInspection = {
      ...silentThread(threadId, name),
      ...(await doingNow(session, found, scripts, all)),
      heapUsed: found.heapUsed,
      pause: { predictedMs, measuredMs: null },
      ...(found.tasks !== null && { tasks: found.tasks }),
      ...(found.hooks !== undefined && { hooks: JSON.parse(found.hooks) as HooksSnapshot }),
      notes: [],
    };
    const isEnough = haste?.stackIsEnough === true && thread.state === 'running' && (found.tasks ?? []).length <= 1;
    const whyNot = isEnough ? 'its stack tells where it is' : whyNoWalk(found, predictedMs, settings);
    if (whyNot === undefined) await walk(thread, found, scripts, session, settings);
    else {
      predictor.forget(threadId);
      thread.notes.push(`what it awaits is not known: ${whyNot}`);
      thread.handles = handlesOf((await handlesIn(session, false)).raw);
    }
    return thread;
  } finally {
    await leave(session);
  }
}

/** As a phrase; `undefined`: the heap of a thread may be walked through, and its memory is taken. */
function whyNoWalk(
  { heapUsed }: Survey,
  predictedMs: number,
  { maxPauseMs, haste, memory }: LookSettings,
): string | undefined {
  const isTooLate = haste !== undefined && performance.now() + predictedMs > haste.until;
  if (!isTooLate && predictedMs <= maxPauseMs) return memory.take(heapUsed);
  return (
    `to walk through its heap of ${formatSize(heapUsed)} it would have to stand still for about ` +
    `${formatDuration(predictedMs)}, and ${isTooLate ? haste.because : `${formatDuration(maxPauseMs)} are allowed`}`
  );
}

/**
 * An async loop that never yields is mostly met between two of its steps, with nothing of the program on the stack,
 * as in the event loop. But then that has not turned since it was asked first; and asked again, it is met at a step.
 * On a busy machine several questions may be answered within one turn: so a thread is asked until it turns, or is
 * met at a step, and hardly ever in vain.
 */
async function doingNow(session: Session, found: Survey, scripts: Scripts, all: boolean): Promise<Doing> {
  const doing = doingOf(found.frames, scripts, all);
  const isRunning = doing.state === 'running';
  if (!isBare(found.frames) && !isRunning) return doing;
  let latest = found;
  for (let asked = 1; asked < MAX_ASKED && !runsUserCode(latest.frames, scripts); asked++) {
    if (!isRunning && latest.turn !== found.turn) return doing;
    if (asked > 2) await delay(ASKED_AGAIN_MS);
    latest = await run(session, survey, []);
  }
  if (runsUserCode(latest.frames, scripts))
    return isRunning || latest.turn === found.turn ? doingOf(latest.frames, scripts, all) : doing;
  return isRunning ? doing : BETWEEN_STEPS;
}

const BETWEEN_STEPS: Doing = { state: 'running', stack: [{ name: '(microtasks)', place: null }] };

/** A question takes a millisecond or two. */
const MAX_ASKED = 50;

/** In ms. */
const ASKED_AGAIN_MS = 1;

/** A thread of which nothing is known but that it does not answer. */
export function silentThread(threadId: number, name: string): ThreadInspection {
  return {
    threadId,
    name,
    state: 'blocked',
    stack: [],
    heapUsed: null,
    pause: { predictedMs: null, measuredMs: null },
    view: 'cheap',
    awaits: [],
    suspended: null,
    hidden: 0,
    handles: [],
    notes: ['it is in native code, which cannot be interrupted: where it is will be known once that returns'],
  };
}

async function walk(
  thread: ThreadInspection,
  found: Survey,
  scripts: Scripts,
  session: Session,
  { all, maxPauseMs, folder, analyst, predictor, onNote, keep = () => true, haste, memory, openStreams }: LookSettings,
): Promise<void> {
  const { predictedMs } = thread.pause as { predictedMs: number };
  onNote?.(`${thread.name} is paused for about ${formatDuration(predictedMs)} while its heap is written`);
  const path = join(folder, `${thread.threadId}.heapsnapshot`);
  let handles: Handles;
  let tasks: Map<number, TaskReference>;
  try {
    await session.call('HeapProfiler.enable');
    analyst.start();
    const begin = performance.now();
    await run(session, writeHeap, [path, found.smallObjects < NUMBERS_BELOW], predictedMs * PATIENCE + PATIENCE_MS);
    const measured = performance.now() - begin;
    haste?.onSeen();
    thread.pause.measuredMs = Math.round(measured);
    predictor.learn(thread.threadId, found.smallObjects, measured);
    if (wasWrong(predictedMs, measured)) thread.notes.push(wrongText(predictedMs, measured));
    handles = await handlesIn(session, true);
    tasks = await tasksIn(session);
    if (openStreams) thread.openStreams = await openStreamsIn(session);
  } catch (error) {
    if (error instanceof SessionEnded) throw error;
    thread.notes.push(`its heap could not be walked through: ${(error as Error).message}`);
    return;
  } finally {
    memory.giveBack(found.heapUsed);
  }
  thread.handles = handlesOf(handles.raw);
  const findings = await analyst.analyse(path);
  const shown = shownBranches(findings.branches, {
    scripts,
    all,
    leafOf: (leaf) => leafOf(leaf, found.now, handles.byHeapId, scripts),
    tasks,
  }).filter(({ branch }) => keep(branch));
  const limitMs = Math.min(all ? LOCATE_ALL_MS : LOCATE_MS * runnablePerCore(), maxPauseMs);
  const skipped = await locate(session, shown, scripts, { limitMs, signal: haste?.signal });
  if (skipped > 0) {
    thread.notes.push(
      `where the await is was not asked for ${skipped} of the functions, as each answer pauses the thread` +
        (all ? '' : ': --all asks for it'),
    );
  }
  thread.view = 'whole';
  thread.awaits = shown.map(({ branch }) => branch);
  await addHandlers(session, thread.awaits, scripts);
  thread.suspended = findings.suspended;
  thread.hidden = Math.max(0, findings.suspended - countOf(shown));
}

function wrongText(predictedMs: number, measuredMs: number): string {
  return (
    `it stood still for ${formatDuration(measuredMs)}, and ${formatDuration(predictedMs)} were predicted: its heap is of more ` +
    'and smaller objects than most, or its machine is busy; what is predicted next counts with that'
  );
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
