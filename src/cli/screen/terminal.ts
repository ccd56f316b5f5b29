/** What may be written to a terminal, and what becomes of a stream whose reader has gone. */
import type { Writable } from 'node:stream';
import { existsSync } from 'node:fs';
import { printable, printableLines } from '../../base/printable.js';
import { unendedThreads, type UnendedThread } from '../../runtime/pool/thread/unended.js';
import { isDrawable } from './color.js';
import { exitCodeOfSignal, SIGNALS } from '../exit-code.js';

/** Takes a progress bar away that a process has left on the terminal's last line when it died. */
export function clearLeftoverBar(): void {
  if (isDrawable(process.stderr)) process.stderr.write('\r\x1B[K');
}

/**
 * Standard error carries words alone: that nobody reads them any more (the
 * terminal was closed, `2>&1 | head`) is no reason to end a run.
 */
export function outliveReaderOfStderr(): void {
  process.stderr.on('error', () => {});
}

/** Tells something in words, on standard error; what others wrote in it steers no terminal. */
export function tell(words: string): void {
  process.stderr.write(`${printableLines(words)}\n`);
}

/** Prints a document for programs, on standard output. */
export function printJson(document: unknown): void {
  process.stdout.write(`${printableLines(JSON.stringify(document))}\n`);
}

/** Resolves once the system has the text, with the error if it never will. */
export function print(stream: Writable, text: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    stream.once('error', resolve);
    stream.write(text, (error) => {
      // The event comes after this, and only once in the life of a stream.
      if (!error) stream.off('error', resolve);
      resolve(error ?? undefined);
    });
  });
}

/**
 * Ends the process once its readers have all that was written: to a pipe that
 * is full Node writes in the background, and `process.exit` alone would lose it.
 *
 * After its terminal was closed, it ends by the signal itself: `process.exit` was
 * seen to end by SIGSEGV then (Node 20.20).
 */
export async function exitWith(exitCode: number): Promise<never> {
  const unended = unendedThreads();
  if (unended.length > 0) process.stderr.write(unendedText(unended));
  await Promise.all([process.stdout, process.stderr].map(flushed));
  if (unended.length > 0) endByForce(exitCode);
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  if (onTerminal && exitCode === exitCodeOfSignal('SIGHUP')) {
    endBySignal('SIGHUP');
  }
  process.exit(exitCode);
}

/** Ends the process as if nobody had listened for the signal. */
export function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Ends a process that has a thread in native code, for which `process.exit()` waits. A signal does,
 * and so does another program in its place, which Node has from 22.15 on. Before that, only an exit
 * code that tells of a signal can be had; the others become that of SIGKILL.
 */
function endByForce(exitCode: number): void {
  const signal = SIGNALS.find((one) => exitCodeOfSignal(one) === exitCode);
  if (signal !== undefined) endBySignal(signal);
  const { execve } = process as { execve?: (file: string, args: string[]) => void };
  if (execve !== undefined && existsSync('/bin/sh')) execve('/bin/sh', ['sh', '-c', `exit ${exitCode}`]);
  process.kill(process.pid, 'SIGKILL');
}

function unendedText(unended: readonly UnendedThread[]): string {
  const lines = unended.map(({ thread, tasks }) => {
    const what = tasks.length === 0 ? '' : ` of ${tasks.map((id) => printable(id)).join(', ')}`;
    return `runtime: thread ${thread} could not be ended: native code${what} does not return\n`;
  });
  return lines.join('');
}

/** Resolves once the system has all that was written, or never will. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.errored) return resolve();
    // The reader may go while it is waited for.
    stream.on('error', () => resolve());
    stream.write('', () => resolve());
  });
}
