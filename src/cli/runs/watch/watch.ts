/** `runtime status [run-id] --watch` */
import { setTimeout as sleep } from 'node:timers/promises';
import { Views, type View } from '../../../dashboard/view.js';
import { seeRun } from '../../../runs/see-run.js';
import { StateDir } from '../../../system/state-dir.js';
import { abortedBySignals } from '../../aborted-by-signals.js';
import { exitCodeOfSignal } from '../../exit-code.js';
import { hasColor, isDrawable, painter, type Paint } from '../../screen/color.js';
import { FullScreen } from '../../screen/full-screen.js';
import { outliveReaderOfStderr, printJson, tell } from '../../screen/terminal.js';
import { mustKnowRun } from '../find-run.js';
import { drawRun, drawRuns } from './draw-view.js';
import { resolveWatchFlags, type GivenToWatch } from './watch-flags.js';

/** Until a signal comes: on a terminal drawn over the whole of it, elsewhere a line for each change. */
export async function watch(typed: string | undefined, given: GivenToWatch): Promise<number> {
  const { runId, intervalMs } = resolveWatchFlags(typed, given);
  const stateDir = new StateDir(given.dir);
  if (runId !== undefined) mustKnowRun(stateDir, runId);
  outliveReaderOfStderr();
  const { signal } = abortedBySignals();
  const show = shownBy(runId, given);
  const views = new Views(stateDir.root);
  try {
    while (!signal.aborted) {
      const ids = runId === undefined ? stateDir.runIds() : [runId];
      // All at once: a silent one takes its time.
      const runs = await Promise.all(ids.map((id) => seeRun(stateDir, id)));
      if (!signal.aborted) show.view(views.next(runs));
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    show.close();
  }
  return exitCodeOfSignal(signal.reason as NodeJS.Signals);
}

interface Shown {
  view(view: View): void;
  close(): void;
}

function shownBy(runId: string | undefined, { json, color = true }: GivenToWatch): Shown {
  const { stdout } = process;
  const paint = painter(hasColor(stdout, color));
  if (json) return { view: (view) => printJson({ schema: 1, ...view }), close: () => {} };
  if (!isDrawable(stdout)) return { view: changes(paint), close: () => {} };
  let last: View | undefined;
  const screen = new FullScreen(stdout, ({ columns }) => {
    if (last === undefined) return [];
    return runId === undefined ? drawRuns(last, paint) : drawRun(last.runs[0]!, columns, paint);
  });
  const onStop = () => {
    screen.suspend(() => {
      process.off('SIGTSTP', onStop);
      // Comes back when this process may go on.
      process.kill(process.pid, 'SIGTSTP');
      process.on('SIGTSTP', onStop);
    });
  };
  process.on('SIGTSTP', onStop);
  return {
    view: (view) => {
      last = view;
      screen.redraw();
    },
    close: () => {
      process.off('SIGTSTP', onStop);
      screen.close();
    },
  };
}

/** A line for each run of which something has changed: not its rate, which always has. */
function changes(paint: Paint): (view: View) => void {
  const told = new Map<string, string>();
  return (view) => {
    for (const run of view.runs) {
      const [line] = drawRuns({ ...view, runs: [{ ...run, pace: null }] }, paint);
      if (told.get(run.runId) === line) continue;
      told.set(run.runId, line!);
      process.stdout.write(`${new Date(view.at).toISOString()}  ${line}\n`);
    }
    for (const runId of told.keys()) {
      if (view.runs.some((run) => run.runId === runId)) continue;
      told.delete(runId);
      process.stdout.write(`${new Date(view.at).toISOString()}  ${runId}  removed\n`);
    }
    if (view.runs.length === 0 && told.size === 0) tellOnce(`no runs in ${view.root}`);
  };
}

let hasTold = false;
function tellOnce(words: string): void {
  if (!hasTold) tell(words);
  hasTold = true;
}
