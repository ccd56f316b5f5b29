/** The process that a supervisor starts: one executor, one job. */
import { errorText, exitCodeOfError } from '../exit-code.js';
import type { Carried } from './job/job-control.js';
import { runJob } from './run-job.js';
import type { RunFlags } from './run-flags.js';
import { exitWith, flushed, outliveReaderOfStderr } from '../screen/terminal.js';
import { ProcessLock } from '../../system/lock/process-lock.js';
import { StateDir } from '../../system/state-dir.js';
import { DATA_FD, KEEPER_FD, LOCK_FD } from '../../runtime/supervisor/messages.js';
import { reachStore } from '../../runtime/queue/open-queue.js';
import { connectToSupervisor } from '../../runtime/supervisor/supervised.js';

outliveReaderOfStderr();
const supervisor = connectToSupervisor<RunFlags, Carried>();
const { job, predecessor } = await supervisor.start;
let exitCode: number;
try {
  const { dir, runId } = job.executor;
  const stateDir = new StateDir(dir);
  const lock = new ProcessLock({ path: stateDir.lockPath(runId), runId });
  lock.adopt(LOCK_FD);
  exitCode = await runJob(job, {
    start: {
      lock,
      store: reachStore(job.executor, stateDir.runDir(runId), lock, KEEPER_FD),
      previousDeath: predecessor?.death ?? 'unseen',
      ...(predecessor?.signal && { deathSignal: predecessor.signal }),
      // By the end of its data pipe the supervisor sees that nothing is left of this executor.
      keepsOpen: [DATA_FD],
    },
    carried: predecessor?.carried ?? undefined,
    restarts: predecessor?.restarts ?? 0,
    data: supervisor.data,
    linesBefore: predecessor?.lines ?? 0,
    onStop: supervisor.onStop,
    progressed: () => void supervisor.tell({ type: 'progressed' }),
    carry: (carried) => void supervisor.tell({ type: 'carry', carried }),
  });
} catch (error) {
  process.stderr.write(errorText(error));
  exitCode = exitCodeOfError(error);
}
// From here on the supervisor waits for the exit alone, and not for long.
await Promise.all([supervisor.data, process.stdout, process.stderr].map(flushed));
await supervisor.tell({ type: 'finished', exitCode });
await exitWith(exitCode);
