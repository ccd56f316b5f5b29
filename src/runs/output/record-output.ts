import { atExit } from '../../base/at-exit.js';
import type { Executor } from '../../runtime/executor.js';
import type { Printers } from '../../runtime/thread/protocol.js';
import type { PrintedPiece } from './output-line.js';
import { OutputLog, removeOutput } from './output-log.js';

/** A line that is longer is kept in pieces, in characters. */
const MAX_PIECE = 64 * 1024;

type Source = Pick<PrintedPiece, 'thread' | 'stream' | 'by' | 'others'>;

/**
 * Records what the tasks of an executor print and log: within the turn of the event loop in which it is heard, so that
 * it costs one write however much that is, and nothing where nothing is printed.
 *
 * @param fresh whether to take away what earlier executors recorded
 * @returns to be called at the end, once the threads have ended or will print nothing more; `keep`: false for a run
 * in memory, which leaves nothing
 */
export function recordOutput(executor: Executor, { fresh }: { fresh: boolean }): (keep: boolean) => void {
  const { runDir } = executor;
  const onUnwritable = ({ message }: Error) =>
    executor.emit('warning', new Error(`what tasks print is recorded no longer: ${message}`));
  const log = new OutputLog(runDir, { onUnwritable });
  const pieces = new Pieces();
  let flushing: NodeJS.Immediate | undefined;
  const flush = () => {
    flushing = undefined;
    log.write(pieces.take());
  };
  const soon = () => void (flushing ??= setImmediate(flush));
  if (fresh) removeOutput(runDir);
  executor.on('output', (text, stream, thread, printers) => {
    pieces.add(text, { thread, stream, ...named(printers) });
    soon();
  });
  executor.on('log', ({ level, message, fields, thread, ...of }) => {
    const source = { thread, stream: 'log' as const, by: [nameOf(of)] };
    pieces.addLine({ at: Date.now(), ...source, level, text: message, ...(fields !== undefined && { fields }) });
    soon();
  });
  const forget = atExit(flush);
  return (keep) => {
    clearImmediate(flushing);
    flush();
    forget();
    log.end();
    if (!keep) removeOutput(runDir);
  };
}

function named({ attempts, others }: Printers): Pick<PrintedPiece, 'by' | 'others'> {
  const by = attempts.map(nameOf);
  return { by, ...(others > 0 && { others }) };
}

function nameOf({ taskId, attempt, input }: Printers['attempts'][number]): PrintedPiece['by'][number] {
  return input === undefined ? [taskId, attempt] : [taskId, attempt, input];
}

/** Makes lines of what is printed piece by piece. */
export class Pieces {
  #ready: PrintedPiece[] = [];
  /** What has no end of line yet, of each thread and stream. */
  readonly #held = new Map<string, { source: Source; text: string }>();

  add(text: string, source: Source): void {
    const key = `${source.thread} ${source.stream}`;
    const held = this.#held.get(key);
    if (held !== undefined && !isSame(held.source, source)) this.#release(key);
    const lines = ((this.#held.get(key)?.text ?? '') + text).split('\n');
    this.#held.delete(key);
    const rest = lines.pop()!;
    for (const line of lines) this.#push(line, source, false);
    if (rest !== '') this.#held.set(key, { source, text: rest });
  }

  addLine(piece: PrintedPiece): void {
    this.#ready.push(piece);
  }

  /** All so far; what has no end of line yet, as open pieces. */
  take(): PrintedPiece[] {
    for (const key of this.#held.keys()) this.#release(key);
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #release(key: string): void {
    const { source, text } = this.#held.get(key)!;
    this.#held.delete(key);
    this.#push(text, source, true);
  }

  #push(text: string, source: Source, open: boolean): void {
    let rest = text;
    for (; rest.length > MAX_PIECE; rest = rest.slice(MAX_PIECE)) {
      this.#ready.push({ open: true, at: Date.now(), ...source, text: rest.slice(0, MAX_PIECE) });
    }
    this.#ready.push({ ...(open && { open: true as const }), at: Date.now(), ...source, text: rest });
  }
}

function isSame(one: Source, other: Source): boolean {
  return one.others === other.others && String(one.by) === String(other.by);
}
