import { once } from 'node:events';
import { HoldfastError } from '../../../base/errors.js';
import { didYouMean } from '../../../base/faults.js';
import { printableLines } from '../../../base/printable.js';
import { formatCount } from '../../../base/units.js';
import { outputFiles } from '../../../runs/output/output-line.js';
import { readOutput, type Printed, type PrintedLine } from '../../../runs/output/read-output.js';
import { lockOf } from '../../../runs/run-files.js';
import { StateDir } from '../../../system/state-dir.js';
import { EXIT } from '../../exit-code.js';
import { hasColor, painter } from '../../screen/color.js';
import { tell } from '../../screen/terminal.js';
import { mustKnowRun } from '../find-run.js';
import { printedDocument, printedText, printerText } from './printed-text.js';

interface Given {
  dir?: string;
  follow?: boolean;
  json?: boolean;
  color?: boolean;
}

/** Ids of other tasks that are kept, to suggest one that is like the one that was asked for. */
const MAX_SEEN = 10_000;

/** `runtime logs <run-id> [task-id]` */
export async function logs(runId: string, taskId: string | undefined, given: Given): Promise<number> {
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const lock = lockOf(stateDir, runId);
  const show = given.json ? documents : words(taskId, given.color ?? true);
  if (given.follow && lock.isLocked() && outputFiles(stateDir.runDir(runId)).length === 0 && !given.json)
    tell(`tasks of ${runId} have printed nothing so far (of a run from code, it goes to the program's own streams)`);
  const seen = new Set<string>();
  let shown = 0;
  let damaged = 0;
  try {
    for await (const printed of readOutput(stateDir.runDir(runId), {
      ...(given.follow && { goesOn: () => lock.isLocked() }),
    })) {
      if (printed.kind === 'damaged') damaged++;
      if (printed.kind === 'line') {
        const ids = printed.line.by.map(([id]) => id);
        if (taskId !== undefined && !ids.includes(taskId)) {
          if (seen.size < MAX_SEEN) for (const id of ids) seen.add(id);
          continue;
        }
        shown++;
      }
      const text = show(printed);
      if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof HoldfastError) throw error;
    throw new HoldfastError('ERR_STATE_DIR', `what tasks printed cannot be read: ${message}`, { cause: error });
  }
  if (damaged > 0)
    tell(
      `${formatCount(damaged)} ${damaged === 1 ? 'line' : 'lines'} cannot be read: an executor was killed over them`,
    );
  if (shown === 0 && !given.json) tell(nothing(runId, taskId, seen));
  return EXIT.ok;
}

function documents(printed: Printed): string {
  if (printed.kind === 'line') return `${printableLines(JSON.stringify(printedDocument(printed.line)))}\n`;
  return printed.kind === 'dropped' ? `${JSON.stringify({ schema: 1, dropped: printed.lines })}\n` : '';
}

/** Of all tasks, each line says whose it is; of one, that is said where it changes. */
function words(taskId: string | undefined, color: boolean): (printed: Printed) => string {
  const { stdout } = process;
  const paint = painter(hasColor(stdout, color));
  const escape = stdout.isTTY;
  const nameOf = (line: PrintedLine) => paint('dim', `${printerText(line)} |`);
  let last = taskId === undefined ? undefined : `${taskId} 1`;
  return (printed) => {
    if (printed.kind === 'dropped') tell(droppedText(printed.lines));
    if (printed.kind !== 'line') return '';
    const { line } = printed;
    if (taskId === undefined) return `${nameOf(line)} ${printedText(line, escape)}`;
    const source = line.by.length === 1 ? line.by[0]!.slice(0, 2).join(' ') : printerText(line);
    if (source !== last) tell(line.by.length === 1 ? `-- attempt ${line.by[0]![1]} --` : `-- ${printerText(line)} --`);
    last = source;
    return printedText(line, escape);
  };
}

function droppedText(lines: number): string {
  const what = lines === 1 ? '1 line before these was' : `${formatCount(lines)} lines before these were`;
  return `-- ${what} dropped: the last 16MB that tasks print are kept --`;
}

function nothing(runId: string, taskId: string | undefined, seen: ReadonlySet<string>): string {
  if (taskId === undefined)
    return `nothing is recorded that tasks of ${runId} printed (of a run from code, it goes to the program's own streams)`;
  return `nothing is recorded that a task ${JSON.stringify(taskId)} printed${didYouMean(taskId, seen)}`;
}
