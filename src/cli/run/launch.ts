import { fileURLToPath } from 'node:url';
import { Supervisor } from '../../runtime/supervisor/supervisor.js';
import type { StateDir } from '../../system/state-dir.js';
import { clearLeftoverBar, tell } from '../screen/terminal.js';
import type { Carried } from './job/job-control.js';
import type { RunFlags } from './run-flags.js';
import { RunKeeper } from './run-keeper.js';

const EXECUTOR_PROCESS = fileURLToPath(new URL('./executor-process.js', import.meta.url));

/** An executor process that was started, its supervisor, and the keeper of its queue: this process is both. */
export class Launch {
  readonly supervisor: Supervisor<RunFlags, Carried>;
  readonly keeper: RunKeeper;

  /** @param lockFd of the file that is to be locked, then of the lock; `undefined` once that was lost */
  constructor(stateDir: StateDir, runId: string, lockFd: () => number | undefined) {
    this.keeper = new RunKeeper(stateDir.runDir(runId));
    this.supervisor = new Supervisor<RunFlags, Carried>({
      entry: EXECUTOR_PROCESS,
      lockFd,
      output: process.stdout,
      keep: (line) => this.keeper.serve(line),
      onDeath: (how, restarting) => {
        clearLeftoverBar();
        const next = restarting ? 'starting another' : 'giving up; the same command continues the run';
        tell(`runtime: the executor of ${runId} ${how}; ${next}`);
      },
    });
  }
}
