import { setTimeout as sleep } from 'node:timers/promises';
import { inspectProcess } from '../../debug/inspect-process.js';
import type { Inspection } from '../../debug/inspection.js';
import { limitFor } from '../../debug/max-pause.js';
import { renderInspection } from '../../debug/render/render-inspection.js';
import { printable, printableLines } from '../../base/printable.js';
import { StateDir } from '../../system/state-dir.js';
import { hasColor, isDrawable, painter } from '../screen/color.js';
import { abortedBySignals } from '../aborted-by-signals.js';
import { EXIT, exitCodeOfSignal } from '../exit-code.js';
import { resolveInspectFlags, type GivenToInspect, type InspectFlags } from './inspect-flags.js';
import { inspectTarget } from './inspect-target.js';
import { Redrawn } from '../screen/redrawn.js';
import { outliveReaderOfStderr, print } from '../screen/terminal.js';

/**
 * `runtime inspect <run-id|pid>`
 * @param extra arguments that no flag took
 */
export async function inspect(
  target: string | undefined,
  given: GivenToInspect,
  extra: readonly string[],
): Promise<number> {
  const flags = resolveInspectFlags(target, given, extra);
  outliveReaderOfStderr();
  const { signal } = abortedBySignals();
  const stateDir = new StateDir(flags.dir);
  const show = shownBy(flags);
  let told: string | undefined;
  try {
    for (let first = true; ; first = false) {
      // Each time: a run may have another executor by now.
      const { pid, note } = inspectTarget(stateDir, flags.target);
      if (note !== undefined && note !== told) say((told = note));
      const { all, maxPauseMs, watchMs } = flags;
      // The same every few seconds tells nothing, and would be in the way of what is redrawn.
      const onNote = first ? say : () => {};
      const inspection = await inspectProcess(pid, { all, maxPauseMs, onNote, signal });
      // Once it is written, and with nothing attached: whose reader has gone, ends here.
      await print(process.stdout, show(inspection));
      if (watchMs === undefined) {
        sayHowToSeeWhole(inspection, flags);
        return EXIT.ok;
      }
      await sleep(watchMs, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return exitCodeOfSignal(signal.reason as NodeJS.Signals);
    throw error;
  }
}

/** Gives what to print for each look. */
function shownBy({ json, all, maxPauseMs, color, watchMs }: InspectFlags): (inspection: Inspection) => string {
  if (json) return (inspection) => `${printableLines(JSON.stringify(inspection))}\n`;
  const { stdout } = process;
  const paint = painter(hasColor(stdout, color));
  const howToSee = (predictedMs: number) =>
    predictedMs > maxPauseMs ? `--max-pause ${limitFor(predictedMs)} shows it` : undefined;
  const text = (inspection: Inspection) =>
    renderInspection(inspection, { paint, all, hint: '--all shows them', howToSee });
  if (watchMs === undefined) return text;
  if (!isDrawable(stdout)) return (inspection) => `${text(inspection)}\n`;
  const redrawn = new Redrawn(stdout);
  return (inspection) => redrawn.frame(text(inspection));
}

/** Where a thread would have had to stand too long. */
function sayHowToSeeWhole({ threads }: Inspection, { target, maxPauseMs }: InspectFlags): void {
  const longest = Math.max(0, ...threads.map(({ view, pause }) => (view === 'cheap' ? (pause.predictedMs ?? 0) : 0)));
  if (longest <= maxPauseMs) return;
  say(`what every thread awaits: runtime inspect ${target} --max-pause ${limitFor(longest)}`);
}

function say(note: string): void {
  process.stderr.write(`${printable(note, 1_000)}\n`);
}
