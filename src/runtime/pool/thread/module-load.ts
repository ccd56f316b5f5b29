import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../../../base/errors.js';
import type { TaskErrorRecord } from '../../task/task.js';
import type { ThreadMessage } from '../../thread/protocol.js';
import { Question } from './question.js';
import { versionOf } from './version.js';

/**
 * How long a module may take to load, in ms. A top-level await that never ends
 * is not told by Node within a thread: without an end to the waiting, a run
 * would hang before its first task, and say nothing. Large TypeScript programs
 * take a few seconds.
 */
const LOAD_DEADLINE_MS = 60_000;

type LoadReply = Extract<ThreadMessage, { type: 'loaded' | 'not-loaded' }>;

/** Has a thread load its module of handlers. */
export class ModuleLoad {
  readonly #module: string;
  readonly #question: Question<LoadReply>;

  /** @param module its `file:` URL */
  constructor(module: string, send: () => void) {
    this.#module = module;
    this.#question = new Question(send, {
      ms: LOAD_DEADLINE_MS,
      late: (question) => question.fail(new Error(`it has not loaded within ${LOAD_DEADLINE_MS / 1000} s`)),
    });
  }

  /**
   * Gives the names of its functions, and the version of its text; `undefined` if that changed while it was loaded.
   * @throws HoldfastError ERR_HANDLER_MODULE
   */
  async load(): Promise<{ handlers: string[]; version: string | undefined }> {
    const before = versionOf(this.#module);
    let reply: LoadReply;
    try {
      reply = await this.#question.ask();
    } catch (error) {
      throw notLoaded(this.#module, (error as Error).message, error);
    }
    if (reply.type === 'not-loaded') throw threwWhileLoading(this.#module, reply.error);
    // Node does not tell which text it has read.
    return { handlers: reply.handlers, version: versionOf(this.#module) === before ? before : undefined };
  }

  onReply(reply: LoadReply): void {
    this.#question.answer(reply);
  }

  /** The thread is gone, or about to go. Nothing happens where it has loaded. */
  onDeath(cause: Error): void {
    this.#question.fail(new Error(`the thread died over it: ${cause.message}`, { cause }));
  }
}

/** A module of handlers that a thread did not get to load. @param module its `file:` URL */
function notLoaded(module: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError('ERR_HANDLER_MODULE', `cannot load ${fileURLToPath(module)}: ${why}`, {
    cause,
    ...(why.includes('EMFILE') && { hint: 'This process may open too few files: raise `ulimit -n`.' }),
  });
}

/** A module of handlers that threw while it was loaded. */
function threwWhileLoading(module: string, { name, message, stack = '' }: TaskErrorRecord): HoldfastError {
  const cause = Object.assign(new Error(message), { stack });
  const where = name === 'SyntaxError' ? ' (node --check <file> shows where)' : placeIn(stack);
  return notLoaded(module, `${name === 'Error' ? '' : `${name}: `}${message}${where}`, cause);
}

/** The user's own line in a stack: the first frame that names a file. */
function placeIn(stack: string): string {
  const place = /file:\/\/\S+?:\d+(?::\d+)?/.exec(stack)?.[0];
  return place === undefined || place.includes('/system/load-module.') ? '' : ` (${place})`;
}
