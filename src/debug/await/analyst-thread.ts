/** What runs in the analyst's thread: a path comes, the findings go. */
import { parentPort } from 'node:worker_threads';
import type { Analysis } from './analyst.js';
import { analyseHeap } from './analyse-heap.js';

parentPort!.on('message', (path: string) => parentPort!.postMessage(analysisOf(path)));

function analysisOf(path: string): Analysis {
  try {
    return { findings: analyseHeap(path) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
