import { EventEmitter } from 'node:events';

/**
 * An emitter in the midst of whose work a listener may throw. That is thrown
 * once the work is done, as any error that nobody catches: between claiming a
 * task and settling it, it would lose the task, and in `stop` the lock would stay.
 */
class Careful extends EventEmitter {
  override emit(name: string | symbol, ...args: unknown[]): boolean {
    try {
      return super.emit(name, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
      return true;
    }
  }
}

/** Typed as what it extends: it takes and tells the same. */
export const CarefulEmitter = Careful as unknown as typeof EventEmitter;
