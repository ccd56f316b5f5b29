import type { Dispatcher } from './dispatcher.js';

/** Resolves when no task is running. */
export function quiet(dispatcher: Dispatcher): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!dispatcher.idle) return;
      dispatcher.off('idle', look);
      resolve();
    };
    dispatcher.on('idle', look);
    look();
  });
}
