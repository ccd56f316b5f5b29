/** `runtime status [run-id] --watch` */
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidInputError, type Fault } from '../../../base/errors.js';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../../base/units.js';
import { Views, type View } from '../../../dashboard/view.js';
import { seeRun } from '../../../runs/see-run.js';
import { RUN_ID, StateDir } from '../../../system/state-dir.js';
import { besideWatch } from '../../arguments/watch-interval.js';
import { exitCodeOfSignal, SIGNALS } from '../../exit-code.js';
import { hasColor, isDrawable, painter, type Paint } from '../../screen/color.js';
import { FullScreen } from '../../screen/full-screen.js';
import { outliveReaderOfStderr, printJson, tell } from '../../screen/terminal.js';
import { mustKnowRun } from '../find-run.js';
import { drawRun, drawRuns } from './draw-view.js';

const WATCH_MS = 1_000;
const MIN_WATCH_MS = 100;

interface Given {
  watch: string | true;
  probe?: string;
  dir?: string;
  json?: boolean;
  color?: boolean;
}

/** Until a signal comes: on a terminal drawn over the whole of it, elsewhere a line for each change. */
export async function watch(typed: string | undefined, given: Given): Promise<number> {
  const { runId, intervalMs } = resolved(typed, given);
  const stateDir = new StateDir(given.dir);
  if (runId !== undefined) mustKnowRun(stateDir, runId);
  outliveReaderOfStderr();
  const signal = abortedBySignals();
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

function shownBy(runId: string | undefined, { json, color = true }: Given): Shown {
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

/** The first signal ends the watching, and the terminal is given back; a second one ends this process at once. */
function abortedBySignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodeOfSignal(signal));
      controller.abort(signal);
    });
  }
  return controller.signal;
}

function resolved(
  typed: string | undefined,
  { watch: given, probe }: Given,
): { runId: string | undefined; intervalMs: number } {
  const { argument: runId, interval } = besideWatch(typed, given);
  const faults: Fault[] = [];
  if (probe !== undefined) faults.push({ where: '--probe and --watch', problem: 'a probe is answered once' });
  if (runId !== undefined && !RUN_ID.test(runId))
    faults.push({ where: '[run-id]', problem: `must be the id of a run, got ${JSON.stringify(runId)}` });
  let intervalMs = WATCH_MS;
  if (typeof interval === 'string') {
    try {
      intervalMs = parseDuration(interval);
      if (intervalMs < MIN_WATCH_MS || intervalMs > MAX_DURATION_MS) {
        const range = `${formatDuration(MIN_WATCH_MS)} to ${formatDuration(MAX_DURATION_MS)}`;
        faults.push({ where: '--watch', problem: `must be ${range}, got ${JSON.stringify(interval)}` });
      }
    } catch (error) {
      faults.push({ where: '--watch', problem: (error as Error).message });
    }
  }
  if (faults.length === 0) return { runId, intervalMs };
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was watched', faults, {
    hint: 'Such as: runtime status nightly --watch 2s',
  });
}
