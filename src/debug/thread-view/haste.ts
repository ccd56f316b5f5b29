/** Of a look for which somebody waits who is about to change what is looked at. */
export interface Haste {
  /** By when a thread must have stood, in ms as `performance.now()` counts: a walk that is expected to last longer is not begun. */
  until: number;
  /** Why then, as a clause. */
  because: string;
  /** Whether a thread that runs a single task, or none, is known by its stack: then its heap is not walked through. */
  stackIsEnough: boolean;
  /** Aborted when it changes: where an `await` stands is not asked any more. */
  signal: AbortSignal;
  /** Called when a thread has shown what it does, and again when it has shown what it awaits: what comes later makes no difference to that. */
  onSeen(): void;
}
