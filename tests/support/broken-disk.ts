/** A disk that breaks: the files of a queue, as seen by processes that load a small library before anything else. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from './temp-dir.js';

const SOURCE = fileURLToPath(new URL('../fixtures/broken-disk.c', import.meta.url));

/** What fails, and with which error. */
export type Trouble = readonly ['sync' | 'write', 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS'];

export interface BreakableDisk {
  /** Of processes that are to see it. */
  env: Record<string, string>;
  /** The disk is broken for as long as this file is there. */
  trigger: string;
  /** What is to be in that file. */
  text(trouble: Trouble): string;
  break(trouble: Trouble): void;
  mend(): void;
}

/** Builds it; gives why that is not possible here. */
export function breakableDisk(): BreakableDisk | string {
  if (process.platform !== 'linux') return 'a disk is broken by LD_PRELOAD on Linux alone';
  const folder = tempDir();
  const library = join(folder, 'broken-disk.so');
  const { error, status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], {
    encoding: 'utf8',
  });
  if (error) return `there is no C compiler here to build a broken disk with: ${error.message}`;
  if (status !== 0) return `the broken disk could not be built: ${stderr}`;
  const trigger = join(folder, 'broken');
  const text = ([call, name]: Trouble) => `${call} ${constants.errno[name]}`;
  return {
    env: { LD_PRELOAD: library, BROKEN_DISK: trigger },
    trigger,
    text,
    break: (trouble) => writeFileSync(trigger, text(trouble)),
    mend: () => rmSync(trigger),
  };
}
