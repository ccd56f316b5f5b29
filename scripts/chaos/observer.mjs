// @ts-check
/** Looks at a run from beside it: at its queue through a reader, at its lock and its files through processes of their own. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteQueueReader } from '../../dist/runtime/queue/sqlite/reader.js';
import { StateDir } from '../../dist/system/state-dir.js';

/** @typedef {import('./checker.mjs').RecordedOutcome} RecordedOutcome */
/** @typedef {import('./checker.mjs').LockSpan} LockSpan */

/**
 * The outcomes recorded so far, in their order.
 *
 * @param {import('./command.mjs').Place} place @param {number} afterOrdinal 0: all of them
 * @returns {Promise<RecordedOutcome[]>}
 */
export async function readOutcomes({ stateDir, runId }, afterOrdinal) {
  const reader = await openSqliteQueueReader(join(new StateDir(stateDir).runDir(runId), 'queue.db'));
  if (reader === undefined) return [];
  try {
    /** @type {RecordedOutcome[]} */
    const outcomes = [];
    for await (const { ordinal, ...outcome } of reader.outcomes({ afterOrdinal })) {
      const { id, state, result } = outcome;
      const content = JSON.stringify(outcome);
      outcomes.push({
        id,
        ordinal,
        state,
        content,
        result: result === undefined ? undefined : JSON.parse(String(result)),
      });
    }
    return outcomes;
  } finally {
    await reader.close();
  }
}

/** The task ids in a file of `--results`. @param {string} path @returns {string[]} */
export function readResultIds(path) {
  const text = readFileSync(path, 'utf8').trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line).id);
}

/** Asks for the lock all the time. @param {import('./command.mjs').Place} place @returns {Observer<LockSpan[]>} */
export function lockProbe({ stateDir, runId }) {
  return new Observer('probe.mjs', [new StateDir(stateDir).lockPath(runId), runId]);
}

/**
 * Opens and closes the queue all the time.
 * @param {import('./command.mjs').Place} place
 * @param {readonly string[]} nodes programs whose SQLite it uses, too
 * @returns {Observer<import('./visitor.mjs').Visits>}
 */
export function visitor({ stateDir, runId }, nodes) {
  return new Observer('visitor.mjs', [join(new StateDir(stateDir).runDir(runId), 'queue.db'), ...nodes]);
}

/** A process that looks until it is told to end. @template Seen what it then gives */
class Observer {
  #script;
  #child;

  /** @param {string} script of this folder @param {readonly string[]} args */
  constructor(script, args) {
    this.#script = script;
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), args);
  }

  /** Resolves once it looks. */
  async started() {
    await this.#answer();
  }

  /** Ends it; gives what it saw. @returns {Promise<Seen>} */
  async end() {
    const answer = this.#answer();
    this.#child.send('end');
    return answer;
  }

  /** @returns {Promise<any>} */
  #answer() {
    return new Promise((resolve, reject) => {
      this.#child.once('message', resolve);
      this.#child.once('exit', (code) => reject(new Error(`${this.#script} ended with ${code}`)));
    });
  }
}
