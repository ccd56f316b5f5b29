/**
 * The native part of fs-native-extensions, loaded from the file in which it is.
 * The package looks for it by way of five other packages and of files that are
 * not there: 8 ms of each start of a process, of some 40. Where its files lie
 * otherwise, it finds them itself.
 *
 * What is called here is what its version in package.json calls, which is why
 * that one is exact.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Takes a lock on a part of an open file, or gives false where another one has it. Throws other errors of the system. */
type TryLock = (fd: number, offset: number, length: number, options: { shared: boolean }) => boolean;

interface Native {
  /** Throws `EAGAIN` where another one has it. */
  tryLock(fd: number, offset: number, length: number, exclusive: boolean): void;
}

const require = createRequire(import.meta.url);

export const tryLockRange: TryLock = direct() ?? (require('fs-native-extensions') as { tryLock: TryLock }).tryLock;

function direct(): TryLock | undefined {
  let native: Native;
  try {
    const folder = dirname(require.resolve('fs-native-extensions'));
    const host = `${process.platform}-${process.arch}`;
    native = require(join(folder, 'prebuilds', host, 'fs-native-extensions.node')) as Native;
  } catch {
    return undefined;
  }
  return (fd, offset, length, { shared }) => {
    try {
      native.tryLock(fd, offset, length, !shared);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      throw error;
    }
  };
}
