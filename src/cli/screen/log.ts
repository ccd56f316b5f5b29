/** The log of the command, on standard error: JSON lines, or words for people on a terminal. */
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { printableData, printableLines } from '../../base/printable.js';
import { hasColor, isDrawable, type Screen } from './color.js';

/** pino's own calls: `log.info({ task: id }, 'retried')`, `log.error({ err }, 'the queue is gone')`. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface LogOptions {
  /** Default `process.stderr`. */
  stream?: Screen;
  /** `--quiet`: errors alone. */
  quiet: boolean;
  /** False for `--no-color`. */
  color: boolean;
  /** Takes finished lines instead of the stream: `progress.print` keeps them clear of the bar. */
  print?: (text: string) => void;
}

/**
 * Every line is written when the call returns, so none is lost when the process ends.
 *
 * pino is loaded by the first line that is written, not here: it takes about
 * 30 ms (pino-pretty 40 more), and most runs have nothing to say.
 */
export function createLog(options: LogOptions): Log {
  const { stream = process.stderr, quiet, print = (text: string) => void stream.write(text) } = options;
  let logger: Logger | undefined;
  const loaded = () => (logger ??= load({ stream, quiet, color: options.color, print }));
  const line =
    (level: keyof Log): Logger['info'] =>
    (...args: Parameters<Logger['info']>) => {
      try {
        loaded()[level](...args);
      } catch {
        // Where no file can be opened any more, pino cannot be loaded. That is when there is something to tell.
        print(plainLine(level, args));
      }
    };
  const silent = () => {};
  return { info: quiet ? silent : line('info'), warn: quiet ? silent : line('warn'), error: line('error') };
}

/** Much as pino would write it. */
function plainLine(level: string, [first, second]: readonly unknown[]): string {
  const [fields, msg] = typeof first === 'string' ? [{}, first] : [first as object, second];
  const line = { level, time: new Date().toISOString(), pid: process.pid, ...fields, msg };
  const json = JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? value.message : value));
  return `${printableLines(json)}\n`;
}

function load({ stream, quiet, color, print }: Required<LogOptions>): Logger {
  // A log call has no time to wait for an `import()`.
  const require = createRequire(import.meta.url);
  const pino = require('pino') as typeof import('pino');
  const forPeople = isDrawable(stream);
  const pretty = forPeople
    ? (require('pino-pretty') as typeof import('pino-pretty')).prettyFactory({
        colorize: hasColor(stream, color),
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss',
        singleLine: true,
      })
    : undefined;
  // What handlers log is theirs, and shall steer no terminal.
  const shown = (json: string) =>
    pretty === undefined ? printableLines(json) : pretty(printableData(JSON.parse(json)));
  return pino.pino(
    {
      level: quiet ? 'error' : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (json: string) => print(shown(json)) },
  );
}
