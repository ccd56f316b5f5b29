import type { Inspection } from '../inspection.js';
import type { Growing, Standing } from './history.js';

/** Why a dump was taken. */
export type DumpReason = 'start' | 'interval' | 'SIGUSR2' | 'drain' | 'end';

/** Dumps that come by themselves while it runs. The others somebody asked for, or waits for. */
export const PERIODIC: readonly DumpReason[] = ['start', 'interval'];

/** One look into the process, and what it tells beside the looks before it. */
export interface Dump {
  /** From 1, in the order they were tried; of this process. */
  number: number;
  why: DumpReason;
  /** Threads that would have been paused for longer, in ms, were not walked through. */
  maxPauseMs: number;
  inspection: Inspection;
  standing: Standing[];
  growing: Growing[];
  /** Of dumps that could not be written since the last one that was: how many, and why. */
  unwritten: { dumps: number; why: string } | undefined;
}

/** A dump as a line of NDJSON: an inspection, with `dump` beside its fields. */
export function dumpLine({ inspection, ...dump }: Dump): string {
  return `${JSON.stringify({ ...inspection, dump })}\n`;
}
