/**
 * What tasks print, as it is kept in the folder of their run: `output.1.ndjson` and those after it, the newest with
 * the highest number. The first line of each is a `FileHead`, every other a `PrintedPiece`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel } from '../../runtime/thread/protocol.js';

export interface FileHead {
  schema: 1;
  /** How many lines were recorded before this file, of all that is still there or was dropped. */
  before: number;
}

/** A line that was printed or logged, or a piece of one. */
export interface PrintedPiece {
  /** Its line goes on in a piece that follows, of the same thread and stream. First of all keys: so pieces are counted. */
  open?: true;
  /** When it came to be known, in milliseconds since the epoch. */
  at: number;
  /** Number of the thread, from 1. */
  thread: number;
  /** `log`: by `context.log`. */
  stream: 'stdout' | 'stderr' | 'log';
  level?: LogLevel;
  /**
   * Task and attempt whose turn it was; of several in flight in that thread, it was one of these. With the input, as
   * JSON, where the id does not tell what the task is.
   */
  by: [taskId: string, attempt: number, input?: string][];
  /** Tasks in flight that are not named in `by`. */
  others?: number;
  /** Without its end of line. */
  text: string;
  fields?: Record<string, unknown>;
}

const NAME = /^output\.(\d+)\.ndjson$/;

export function outputFile(runDir: string, number: number): string {
  return join(runDir, `output.${number}.ndjson`);
}

/** Numbers of the files there are, rising. */
export function outputFiles(runDir: string): number[] {
  let names: string[];
  try {
    names = readdirSync(runDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .map((name) => Number(NAME.exec(name)?.[1]))
    .filter((number) => number > 0)
    .sort((one, other) => one - other);
}
