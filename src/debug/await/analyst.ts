import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HeapFindings } from './findings.js';

/** By which the thread is known, and left out of what a process shows of itself. */
export const ANALYST = 'holdfast-analyst';

const SCRIPT = fileURLToPath(new URL('analyst-thread.js', import.meta.url));

export type Analysis = { findings: HeapFindings } | { error: string };

/** Reads heap snapshots in a thread of its own: it takes up to seconds, and the caller has other things to do. */
export class Analyst {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws Error when the snapshot cannot be read, or is too large for the memory of this process */
  analyse(path: string): Promise<HeapFindings> {
    const analysis = this.#last.then(() => this.#ask(path));
    this.#last = analysis.catch(() => {});
    return analysis;
  }

  /** Readies the thread for what is to be analysed soon. */
  start(): void {
    if (this.#worker !== undefined) return;
    const worker = (this.#worker = startWorker());
    // Whoever waits for an analysis hears why; without one, the next is asked of another thread.
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', forget).on('exit', forget);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(path: string): Promise<HeapFindings> {
    this.start();
    const worker = this.#worker!;
    return new Promise((resolve, reject) => {
      const settle = () => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      const onMessage = (analysis: Analysis) => {
        settle();
        if ('findings' in analysis) resolve(analysis.findings);
        else reject(new Error(analysis.error));
      };
      const onError = (error: Error) => {
        settle();
        reject(error);
      };
      const onExit = () => onError(new Error('the analysis was ended'));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(path);
    });
  }
}

function startWorker(): Worker {
  // Its output is not passed on: it has none, and the program's own would be opened for it, and show in what is looked at.
  // None of the loaders and flags of the program that is looked at: it needs none, and they cost time.
  return new Worker(SCRIPT, { name: ANALYST, execArgv: [], env: {}, stdin: false, stdout: true, stderr: true });
}
