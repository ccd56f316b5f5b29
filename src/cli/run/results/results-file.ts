/** The file that `--results` names. */
import { constants, openSync } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidInputError } from '../../../base/errors.js';

/** How often to look whether a named pipe has a reader, and after how many looks it is told that it has none: a second. */
const LOOK_INTERVAL_MS = 50;
const LOOKS_IN_SILENCE = 20;

export interface ResultsFileSettings {
  /** Gives up waiting for the reader of a named pipe. */
  signal: AbortSignal;
  /** Told once: a named pipe has no reader, and is waited for. */
  onWaiting(): void;
}

/**
 * Opens the file, and empties it. A named pipe is waited for until somebody reads it.
 *
 * @returns `undefined` when it was given up
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` if it cannot be written
 */
export async function openResultsFile(target: string, settings: ResultsFileSettings): Promise<Writable | undefined> {
  try {
    const isPipe = await stat(target).then(
      (found) => found.isFIFO(),
      () => false,
    );
    if (!isPipe) return (await open(target, 'w', 0o600)).createWriteStream();
    const pipe = await openPipe(target, settings);
    // Not as a file: a full pipe would then fail with EAGAIN.
    return pipe === undefined ? undefined : new Socket({ fd: pipe, readable: false, writable: true });
  } catch (error) {
    throw unwritable(target, error);
  }
}

/**
 * Whether it seems that the file can be written. Nothing is changed by it.
 *
 * @throws InvalidInputError `ERR_INVALID_OPTIONS`
 */
export async function checkResultsFile(target: string): Promise<void> {
  try {
    const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (found?.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    await access(found === undefined ? dirname(target) : target, constants.W_OK);
  } catch (error) {
    throw unwritable(target, error);
  }
}

function unwritable(target: string, error: unknown): InvalidInputError {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = { ENOENT: 'there is no such folder', EISDIR: 'it is a folder' };
  const problem = `${JSON.stringify(target)} cannot be written: ${words[code ?? ''] ?? message}`;
  return new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was started', [{ where: '--results', problem }], {
    cause: error,
  });
}

/** open(2) would block until there is a reader, and so would the end of the process. */
async function openPipe(path: string, { signal, onWaiting }: ResultsFileSettings): Promise<number | undefined> {
  for (let looks = 0; !signal.aborted; looks++) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    }
    if (looks === LOOKS_IN_SILENCE) onWaiting();
    await sleep(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}
