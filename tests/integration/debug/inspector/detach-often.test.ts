import { expect, onTestFinished, vi } from 'vitest';
import { attachToProcess } from '../../../../dist/debug/inspector/attach-process.js';
import { longTest } from '../../../support/long.js';
import { startTarget } from '../../../support/target.js';
import { tempDir } from '../../../support/temp-dir.js';

/** Enough to tell: where ours did not wait for the other side to close, about one in five ended the process (SIGSEGV). */
const LOOKS = 20;

longTest('a process outlives any number of looks', async () => {
  // Where looks wait for one another.
  vi.stubEnv('XDG_RUNTIME_DIR', tempDir());
  onTestFinished(() => void vi.unstubAllEnvs());
  const { pid, child } = await startTarget('stuck.mjs');
  for (let look = 0; look < LOOKS; look++) {
    const attached = await attachToProcess(pid);
    await attached.detach();
  }
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
});
