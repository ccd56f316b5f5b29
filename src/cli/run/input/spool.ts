/**
 * Standard input, kept in a file of the run while it is read: an executor that
 * dies takes none of it along, its successor reads the file from the start.
 *
 *   <runDir>/input.partial   grows while the stream is open
 *   <runDir>/input           the same file, once all of the stream is in it
 *   <runDir>/input.broken    the same file, if the rest of the stream was lost
 */
import { constants } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../../base/errors.js';
import type { SourceChoice } from '../run-flags.js';

const CHUNK_BYTES = 256 * 1024;
const MIN_WAIT_MS = 5;
const MAX_WAIT_MS = 100;

const spoolPaths = (runDir: string) => ({
  growing: join(runDir, 'input.partial'),
  whole: join(runDir, 'input'),
  broken: join(runDir, 'input.broken'),
});

/** Whether tasks come from what can be read only once: standard input, or a file that is a pipe. */
export async function needsSpool(source: SourceChoice): Promise<boolean> {
  if (source.kind === 'each') return false;
  if (source.kind === 'lines' || source.file === '-') return true;
  // A file that is not there is told by whoever opens it.
  return stat(source.file).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
}

export interface Spooling {
  /**
   * Settles when the stream has ended and all of it is in the file.
   * Rejects with `ERR_STATE_DIR` if it could not be read or written to its end.
   */
  finished: Promise<void>;
  /**
   * Resolves if it could not, and nobody who follows the file will hear of it:
   * the disk became read-only, say. They wait for ever then.
   */
  unheard: Promise<HoldfastError>;
  /** Removes the file, once no executor of the command will read it again. One that another command wrote stays. */
  remove(): Promise<void>;
}

/**
 * Starts to write `stream` into the run's folder, in place of what an earlier
 * run of the command left there. To be called by the holder of the run's lock.
 *
 * Resolves once the file is there: only then may `followSpool` be called.
 */
export async function spoolStdin(stream: AsyncIterable<Uint8Array | string>, runDir: string): Promise<Spooling> {
  const paths = spoolPaths(runDir);
  let file: FileHandle;
  try {
    // The finished one first: a follower must not take it for the end of this one.
    for (const path of [paths.whole, paths.broken, paths.growing]) await rm(path, { force: true });
    file = await open(paths.growing, 'wx', 0o600);
  } catch (error) {
    throw lost(paths.growing, error);
  }
  const { ino } = await file.stat();
  let tellUnheard!: (error: HoldfastError) => void;
  const unheard = new Promise<HoldfastError>((resolve) => (tellUnheard = resolve));
  const finished = pump(stream, file, paths, { ino, tellUnheard });
  // Whoever looks at it later still sees the error; nobody looking must not end the process.
  finished.catch(() => {});
  return {
    finished,
    unheard,
    remove: async () => {
      for (const path of Object.values(paths)) {
        // What cannot be removed, on a disk that became read-only, say, is removed by the next start.
        if (await isFile(path, ino)) await rm(path, { force: true }).catch(() => {});
      }
    },
  };
}

async function pump(
  stream: AsyncIterable<Uint8Array | string>,
  file: FileHandle,
  paths: ReturnType<typeof spoolPaths>,
  { ino, tellUnheard }: { ino: number; tellUnheard: (error: HoldfastError) => void },
): Promise<void> {
  // Once the lock was lost, the file of another command may have that name: its input would seem to be at its end.
  const renameOwn = async (to: string) => {
    if (!(await isFile(paths.growing, ino))) throw new Error('somebody removed or replaced it');
    await rename(paths.growing, to);
  };
  try {
    try {
      for await (const chunk of stream) await file.appendFile(chunk);
    } finally {
      await file.close();
    }
    await renameOwn(paths.whole);
  } catch (error) {
    const failure = lost(paths.growing, error);
    // The followers wait for a new name.
    await renameOwn(paths.broken).catch(() => tellUnheard(failure));
    throw failure;
  }
}

/**
 * The bytes of a spool from its start, while it grows, to its end.
 *
 * @param signal gives up waiting for more, with an `AbortError`
 * @throws HoldfastError `ERR_STATE_DIR`, after all bytes there are, if the rest of the input was lost
 */
export async function* followSpool(runDir: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const paths = spoolPaths(runDir);
  const file = await openSpool(paths);
  try {
    const { ino } = await file.stat();
    let wait = MIN_WAIT_MS;
    for (;;) {
      // Asked before the read: what is read after the end was announced is all there is.
      // In this order no rename is missed.
      const growing = await isFile(paths.growing, ino);
      const ended = await isFile(paths.whole, ino);
      const broken = await isFile(paths.broken, ino);
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES));
        if (bytesRead === 0) break;
        wait = MIN_WAIT_MS;
        yield buffer.subarray(0, bytesRead);
      }
      if (ended) return;
      if (broken) throw lost(paths.broken);
      // Its writer goes on, to a file that nobody finds again.
      if (!growing) throw lost(paths.growing, new Error('somebody removed or replaced it'));
      // Keeps the process alive: with idle threads nothing else may, and the rest of the lines would be lost.
      await sleep(wait, undefined, { signal });
      wait = Math.min(wait * 2, MAX_WAIT_MS);
    }
  } finally {
    await file.close();
  }
}

async function openSpool(paths: ReturnType<typeof spoolPaths>): Promise<FileHandle> {
  let failure: unknown;
  // In this order no rename is missed: a spool only ever moves to a later name.
  for (const path of [paths.growing, paths.whole, paths.broken]) {
    try {
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      failure = error;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') break;
    }
  }
  throw lost(paths.growing, failure);
}

async function isFile(path: string, ino: number): Promise<boolean> {
  return stat(path).then(
    (found) => found.ino === ino,
    () => false,
  );
}

function lost(path: string, cause?: unknown): HoldfastError {
  const reason = cause === undefined ? 'its writer met an error' : (cause as Error).message;
  return new HoldfastError('ERR_STATE_DIR', `standard input could not be kept in ${path}: ${reason}`, {
    cause,
    hint: 'Mend the cause and type the same command with the same input again: what is done is not run twice.',
  });
}
