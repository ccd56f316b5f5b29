import { printable } from '../../../base/printable.js';
import type { Executor } from '../../../runtime/executor.js';
import type { Display } from '../../screen/display.js';
import type { Carried, JobControl } from '../job/job-control.js';
import { openResultsFile } from './results-file.js';
import { ResultsWriter } from './results-writer.js';
import type { RunFlags } from '../run-flags.js';

interface Settings {
  flags: RunFlags;
  control: JobControl;
  executor: Executor;
  carried: Carried;
  display: Display;
  /** Ends the wait for a reader. */
  signal: AbortSignal;
  /** They can be written no more. */
  onBroken(error: Error): void;
}

/** `--results`: the outcomes of a run, written to a file or to standard output as they come. */
export class RunResults {
  readonly #writer: ResultsWriter;
  /** What was said of records that could not be written. */
  readonly #damaged: ReadonlySet<string>;

  /** `undefined`: nobody asked for them, or the run is to end before anybody reads them. */
  static async start(settings: Settings): Promise<RunResults | undefined> {
    const { flags, control, executor, carried, display, signal, onBroken } = settings;
    const { results } = flags;
    if (results === undefined) return undefined;
    const toStdout = results === '-';
    const onWaiting = () =>
      display.say(`--results: nobody reads the pipe ${printable(results)} yet: waiting for a reader`);
    const stream = toStdout ? control.data : await openResultsFile(results, { signal, onWaiting });
    if (stream === undefined) return undefined;
    const damaged = new Set<string>();
    const writer = new ResultsWriter(executor, {
      stream,
      endsStream: !toStdout,
      // A file is written anew and holds the whole run; standard output gets what this command brings.
      afterOrdinal: toStdout ? carried.beforeOrdinal : 0,
      skip: toStdout ? control.linesBefore : 0,
      onDamaged: ({ message }) => {
        if (!damaged.has(message)) display.say(`--results: ${printable(message)}`);
        damaged.add(message);
      },
      withInput: flags.source.kind === 'lines',
      onBroken,
    });
    return new RunResults(writer, damaged);
  }

  private constructor(writer: ResultsWriter, damaged: ReadonlySet<string>) {
    this.#writer = writer;
    this.#damaged = damaged;
  }

  get isDamaged(): boolean {
    return this.#damaged.size > 0;
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
