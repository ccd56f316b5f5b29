/**
 * Which looks of this process into itself are under way. A thread must not be
 * ended by force during one: it might stay (see `unanswered.ts`).
 */
const looks = new Set<Promise<unknown>>();

/** In ms. Longer than looks take; who cannot wait for ever may end a thread then. */
const PATIENCE_MS = 5_000;

/** Tells of a look until it has ended. */
export async function underWay<Result>(look: Promise<Result>): Promise<Result> {
  looks.add(look);
  try {
    return await look;
  } finally {
    looks.delete(look);
  }
}

/** Resolves once no look is under way that began before, or after 5 s; `undefined` where there is none. */
export function untilLookedAt(): Promise<void> | undefined {
  if (looks.size === 0) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    void Promise.allSettled(looks).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
