/** How far a run is, on standard error: a bar on a terminal, now and then a line elsewhere. */
import type { ExecutorMode } from '../../runtime/status.js';
import { formatCount, formatDuration, formatRate } from '../../base/units.js';
import { hasColor, isDrawable, painter, type Paint, type Screen } from './color.js';

export interface ProgressData {
  /** Tasks with an outcome, whatever it is. */
  done: number;
  /** Those of them that did not end `done`. */
  failed: number;
  /** Tasks known so far. */
  total: number;
  /** Whether the source has been read to its end. */
  totalKnown: boolean;
  /** Tasks in flight. */
  running: number;
  /** Of late. */
  ratePerSecond: number;
  /** Milliseconds since the last outcome, where that is unusually long ago. */
  silentMs: number | undefined;
  /** Threads with work. */
  busy: number;
  mode: ExecutorMode;
}

export interface Progress {
  /** To be called a few times a second, also when nothing changed. */
  update(data: ProgressData): void;
  /** Writes text that ends in a newline, above the bar if there is one. */
  print(text: string): void;
  /** Takes the bar away. Safe to call twice; what is printed later goes straight out. */
  stop(): void;
}

export interface ProgressOptions {
  /** Default `process.stderr`. */
  stream?: Screen;
  /** `--quiet`: no progress; `print` still prints. */
  quiet: boolean;
  /** False for `--no-color`. */
  color: boolean;
  /** No bar, also on a terminal: it would be in the way of what else is shown there. Default false. */
  plain?: boolean;
  /** Milliseconds that only grow. Default `performance.now`. */
  now?: () => number;
}

const PLAIN_INTERVAL_MS = 5_000;
const MAX_BAR_WIDTH = 30;

/**
 * The cursor waits at the start of the bar. What others write there begins at
 * the start of a line: the `^C` of the terminal would else wrap behind a bar
 * that fills the line, and leave its last frame standing.
 */
const REST_AT_START = '\x1B[K\r';

const NOT_PASSED_ON: ReadonlySet<string> = new Set(['\x1B7', '\x1B8', '\x1B[0K']);

/** Loads what draws the bar only where one is drawn. */
export async function createProgress(options: ProgressOptions): Promise<Progress> {
  const { stream = process.stderr, quiet, plain = false, now = () => performance.now() } = options;
  if (!quiet && !plain && isDrawable(stream)) return drawBar(stream, painter(hasColor(stream, options.color)));
  return {
    update: quiet ? () => {} : plainLines(stream, now),
    print: (text) => void stream.write(text),
    stop: () => {},
  };
}

/** A line when something changed, at most one every few seconds: what a log of CI can bear. */
function plainLines(stream: Screen, now: () => number): (data: ProgressData) => void {
  let last = '';
  let lastAt = now();
  return (data) => {
    const line = describe(data).join(', ');
    if (line === last || now() - lastAt < PLAIN_INTERVAL_MS) return;
    stream.write(`${line}\n`);
    last = line;
    lastAt = now();
  };
}

async function drawBar(stream: Screen, paint: Paint): Promise<Progress> {
  const { SingleBar } = (await import('cli-progress')).default;
  let data: ProgressData | undefined;
  const bar = new SingleBar({
    stream: ownLine(stream),
    format: () => (data === undefined ? '' : `${barLine(data, stream.columns || 80, paint)}${REST_AT_START}`),
    // Also when nothing changed, so that what tasks write to the terminal spoils it for one frame only.
    forceRedraw: true,
    clearOnComplete: true,
    // A hidden cursor, or wrapping turned off, would outlive a process that is
    // killed: neither is touched. (`null` is documented as "leave it alone",
    // but for `linewrap` it is taken as "turn it off".)
    hideCursor: false,
    linewrap: true,
    // Signals are the command's own matter.
    gracefulExit: false,
  });
  const stop = () => {
    process.removeListener('exit', stop);
    bar.stop();
  };
  return {
    update(next) {
      data = next;
      if (bar.isActive) return;
      bar.start(0, 0);
      process.once('exit', stop);
    },
    print(text) {
      stream.write(bar.isActive ? `\r\x1B[K${text}` : text);
      if (bar.isActive) bar.render();
    },
    stop,
  };
}

/**
 * The stream as cli-progress sees it. Without the sequences that save and
 * restore the cursor's place: once lines have been printed above the bar, that
 * place is somewhere in them. Without the one that clears what is right of the
 * cursor, as that is the bar by then. And endlessly wide: cli-progress would cut the
 * line counting the bytes of colours; it is fitted in `barLine`.
 */
function ownLine(stream: Screen): NodeJS.WritableStream {
  const line: Screen = {
    isTTY: true,
    columns: Number.MAX_SAFE_INTEGER,
    write: (text) => NOT_PASSED_ON.has(text) || stream.write(text),
  };
  return line as unknown as NodeJS.WritableStream;
}

function barLine(data: ProgressData, columns: number, paint: Paint): string {
  const words = fitting(describe(data), columns - 1);
  const failed = failedWords(data);
  const painted = failed === '' ? words : words.replace(failed, paint('red', failed));
  // One column stays free: some terminals wrap when the last one is written.
  const width = Math.min(MAX_BAR_WIDTH, columns - words.length - 4);
  if (!data.totalKnown || width < 5) return painted;
  const filled = data.total === 0 ? width : Math.round((width * Math.min(data.done, data.total)) / data.total);
  return `[${paint('cyan', '='.repeat(filled))}${' '.repeat(width - filled)}] ${painted}`;
}

/** As many of the first words as fit, and of the very first what fits. */
function fitting(words: readonly string[], columns: number): string {
  let count = words.length;
  while (count > 1 && words.slice(0, count).join(', ').length > columns) count--;
  return words.slice(0, count).join(', ').slice(0, columns);
}

/** The more important, the earlier: on a narrow screen the last are left out. */
function describe(data: ProgressData): string[] {
  const { done, total, totalKnown, running, ratePerSecond, silentMs, busy, mode } = data;
  const left = total - done;
  const ends = silentMs === undefined && ratePerSecond > 0;
  const words = [
    totalKnown ? `${formatCount(done)}/${formatCount(total)}` : `${formatCount(done)} of ${formatCount(total)} so far`,
    failedWords(data),
    mode === 'running' ? '' : mode,
    ends ? formatRate(ratePerSecond) : '',
    silentMs === undefined ? '' : `no outcome for ${formatDuration(Math.floor(silentMs / 1_000) * 1_000)}`,
    mode === 'running' && totalKnown && left > 0 && ends
      ? `ETA ${formatDuration(Math.ceil(left / ratePerSecond) * 1_000)}`
      : '',
    running > 0 ? `${formatCount(running)} running on ${formatCount(busy)} ${busy === 1 ? 'thread' : 'threads'}` : '',
  ];
  return words.filter((word) => word !== '');
}

function failedWords({ failed }: ProgressData): string {
  return failed > 0 ? `${formatCount(failed)} failed` : '';
}
