// @ts-check
/** Acquires and releases one lock again and again; tells the pairs a second. */
import { join } from 'node:path';
import { locks } from '../contenders/locks.mjs';
import { settingsOfProcess, tellFigure, warm } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';
import { percentile } from '../statistics.mjs';

const PAIRS = 500;

/** @type {{ lock: keyof typeof locks }} */
const settings = settingsOfProcess();
const folder = stateFolder();
const lock = await locks[settings.lock](join(folder.path, 'bench.lock'));

const figures = await warm(async () => {
  const start = performance.now();
  for (let pair = 0; pair < PAIRS; pair++) {
    await lock.acquire();
    await lock.release();
  }
  return (PAIRS * 1000) / (performance.now() - start);
});
folder.remove();
tellFigure(percentile(figures, 0.5));
