import { randomUUID } from 'node:crypto';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.js';
import type { Attached } from './attached.js';
import { closeInspector } from './close-inspector.js';
import { evaluate } from './evaluate.js';
import { inspectorAmong, inspectorPorts, type Inspector } from './find-inspector.js';
import { blocked, BLOCKED_MS, ended, halted, inspectable, refusal } from '../process/inspectable.js';
import { listenersOf } from '../process/listeners.js';
import { openInspector } from './open-inspector.js';
import type { MessageSession } from './session.js';
import { isAlive, sharesNamespace, type TargetProcess } from '../process/target-process.js';
import { takeTurn, type Patience } from './turn.js';
import { Watchdog } from './watchdog/watchdog.js';
import { connect } from './web-socket-session.js';
import { attachWorkers } from './worker-sessions.js';

/** How long a process may take to vanish after it has let its connections go, in ms. */
const VANISH_MS = 200;

export interface AttachedProcess extends Attached {
  /**
   * Called once it is let go, for which a process that ends waits.
   * @throws HoldfastError ERR_INSPECT_TARGET when it ended meanwhile, or closed its inspector: what was found is of no use
   */
  throwIfGone(): Promise<void>;
}

/**
 * Looks into another process: Node of any version since 20, of the same user
 * (root: of any), prepared or not, whatever its threads run. One that has its
 * inspector open keeps it open; else it is opened, and closed by `detach`, or
 * by a watchdog should this process end without that.
 *
 * @throws HoldfastError ERR_INSPECT_TARGET when it cannot be looked into, and why
 * @throws HoldfastError ERR_INSPECT_BUSY when another look, or another process at its port, does not end within `waitMs`
 * @throws HoldfastError ERR_STATE_DIR when there is no private folder to take turns in
 */
export async function attachToProcess(pid: number, options: Patience = {}): Promise<AttachedProcess> {
  // Said at once, not after the wait for a turn.
  inspectable(pid);
  const undo = new UndoList();
  try {
    const turn = await takeTurn(options);
    undo.add(() => turn.release());
    return await attach(inspectable(pid), turn.fd!, undo, options);
  } catch (error) {
    await undo.all();
    throw error;
  }
}

async function attach(
  target: TargetProcess,
  lock: number,
  undo: UndoList,
  options: Patience,
): Promise<AttachedProcess> {
  const { pid } = target;
  const before = listenersOf(pid).map(({ port }) => port);
  const known = await inspectorAmong(pid, inspectorPorts(pid));
  const folder = join(tmpdir(), `holdfast-inspect-${randomUUID()}`);
  // It knows of the folder before that is made.
  const watchdog = new Watchdog({ target, folder, before, lock });
  undo.add(() => watchdog.end());
  makeFolder(folder, target);
  undo.add(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

  const onSignal = () => watchdog.inspectorOpens();
  const inspector = known ?? (await openInspector(target, { ...options, before, onSignal }));
  const opened = !before.includes(inspector.listener.port);
  if (!opened) watchdog.inspectorIsClosed();
  const remote = await answered(target, connect(inspector.url, BLOCKED_MS));
  let letGo = false;
  let gone: Promise<Error> | undefined;
  const lost = remote.lost.then(() => {
    const why = whyLost(target);
    // An inspector that is closed by us lets its connections go as well.
    if (!letGo) gone = why;
    return why;
  });
  void lost.then((why) => remote.session.close(why));
  undo.add(async () => {
    if (!opened) await remote.close();
    else if (await closeInspector(pid, inspector, () => watchdog.inspectorCloses(), remote))
      watchdog.inspectorIsClosed();
  });
  await verify(target, remote.session, inspector);
  const workers = await answered(target, attachWorkers(remote.session), remote.session);
  undo.add(() => workers.letGo());
  void lost.then((why) => workers.close(why));
  return {
    threads: [{ threadId: 0, name: 'main', session: remote.session }, ...workers.workers],
    folder: asSeenBy(target, folder),
    detach: () => {
      letGo = true;
      return undo.all();
    },
    throwIfGone: async () => {
      if (gone !== undefined) throw await gone;
      if (await hasEnded(target, remote.session.ending ? VANISH_MS : 0)) throw ended(pid);
    },
  };
}

/** What is to be undone, the last first. */
class UndoList {
  readonly #actions: (() => unknown)[] = [];
  #done: Promise<void> | undefined;

  add(action: () => unknown): void {
    this.#actions.push(action);
  }

  /** Once, however often it is called. Never rejects: each action is tried. */
  all(): Promise<void> {
    return (this.#done ??= this.#all());
  }

  async #all(): Promise<void> {
    for (const action of this.#actions.reverse()) {
      try {
        await action();
      } catch {
        // The others are to be undone all the same.
      }
    }
  }
}

/** For this user, and for the one whose process writes there: root may look into those of others. */
function makeFolder(folder: string, { uid, gid }: TargetProcess): void {
  mkdirSync(folder, { mode: 0o700 });
  if (uid !== process.getuid!()) chownSync(folder, uid, gid);
}

/** A path by which both find the folder: services of systemd have a `/tmp` of their own. */
function asSeenBy({ pid }: TargetProcess, folder: string): string {
  return sharesNamespace(pid, 'mnt') ? folder : `/proc/${process.pid}/root${folder}`;
}

/** Whatever goes wrong in the first questions, it is one of two things. */
async function answered<Answer>(
  target: TargetProcess,
  question: Promise<Answer>,
  session?: MessageSession,
): Promise<Answer> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    // One that ends waits for those that are attached.
    throw isAlive(target) && !session?.ending ? blocked(target.pid) : ended(target.pid);
  }
}

async function verify(target: TargetProcess, session: MessageSession, { listener }: Inspector): Promise<void> {
  const { pid, innerPid } = target;
  const reached = await answered(target, evaluate<number | undefined>(session, 'process.pid', BLOCKED_MS), session);
  if (reached === innerPid) return;
  // Node has not made it yet.
  if (reached === undefined) throw halted(pid, listener);
  throw refusal(
    `the inspector of process ${pid} answers for process ${reached}`,
    `If that one is meant: runtime inspect ${reached}`,
  );
}

/** The system closes the connections of a process a moment before it is gone. */
async function whyLost(target: TargetProcess): Promise<Error> {
  if (await hasEnded(target, VANISH_MS)) return ended(target.pid);
  return refusal(
    `process ${target.pid} has closed its inspector while it was looked into`,
    `Look again: runtime inspect ${target.pid}`,
  );
}

/** Whether it does so within a time, in ms. */
async function hasEnded(target: TargetProcess, withinMs: number): Promise<boolean> {
  for (const start = performance.now(); isAlive(target); await delay(5)) {
    if (performance.now() - start >= withinMs) return false;
  }
  return true;
}
