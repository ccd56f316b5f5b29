import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Frame } from '../inspection.js';

/**
 * The same frames at their places in the source, of scripts whose source map
 * Node has read: with `--enable-source-maps`, or a loader of TypeScript.
 */
export function sourceFrames(frames: readonly Frame[]): Frame[] {
  return frames.map(sourceFrame);
}

function sourceFrame(frame: Frame): Frame {
  if (frame.place === null) return frame;
  const { file, line, column } = frame.place;
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return frame;
  const { originalSource: url, originalLine, originalColumn } = entry;
  const source = url.startsWith('file:') ? fileURLToPath(url) : url;
  return { ...frame, place: { file: source, line: originalLine + 1, column: originalColumn + 1 } };
}
