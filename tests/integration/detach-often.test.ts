import { expect, onTestFinished, test, vi } from 'vitest';
import { attachToProcess } from '../../dist/debug/inspector/attach-process.js';
import { startTarget } from '../support/target.js';
import { tempDir } from '../support/temp-dir.js';

/** Of looks that let go as the inspector was about to close, 18 of 80 ended the process with SIGSEGV. */
const LOOKS = 20;

test('a process outlives any number of looks', async () => {
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
