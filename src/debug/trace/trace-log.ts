import type { Inspection } from '../inspection.js';
import { MAX_PAUSE_MS } from '../max-pause.js';
import { dumpLine, PERIODIC, type Dump, type DumpReason } from './dump.js';
import { DumpFile } from './dump-file.js';
import { dumpText, failureText, nothingLeftText, preamble } from './dump-text.js';
import { History } from './history.js';

export interface TraceLogSettings {
  /** Path of the log, `….log`; NDJSON lies beside it as `….ndjson`. */
  path: string;
  /** What is looked into, as the log names it. */
  title: string;
  /** From the end of one dump to the next, in ms. */
  intervalMs: number;
  /** From now to the first one, unless it is asked for before, in ms. Default `intervalMs`. */
  firstAfterMs?: number;
  /** What a thread may be paused for by a dump at an interval, in ms; by those that somebody asks or waits for 5 s, where that is more. */
  maxPauseMs: number;
  /** What it may be paused for by the first one, in ms. Default `maxPauseMs`. */
  startMaxPauseMs?: number;
  /** Whether to write NDJSON, too. */
  json: boolean;
  /** Aborted when nobody waits for what it finds any more: it should end soon then. */
  look: (look: { maxPauseMs: number; signal: AbortSignal }) => Promise<Inspection>;
  /** Told once: a dump could not be written. */
  onUnwritable: (error: Error) => void;
}

/**
 * Takes dumps, one at a time, from when it is made to its end. Between them it
 * keeps no process alive, and whatever goes wrong in one, the next is tried.
 */
export class TraceLog {
  readonly #settings: TraceLogSettings;
  readonly #text: DumpFile;
  readonly #ndjson: DumpFile | undefined;
  readonly #history = new History();
  #timer: NodeJS.Timeout | undefined;
  /** Resolves once no dump is under way, nor wanted. */
  #busy: Promise<void> | undefined;
  /** Asked for while one is under way: one more answers all who asked. */
  #wanted: DumpReason | undefined;
  #number = 0;
  readonly #stop = new AbortController();
  #unwritten: Dump['unwritten'];
  #hasTold = false;

  constructor(settings: TraceLogSettings) {
    const { path, title, intervalMs, firstAfterMs = intervalMs, json } = settings;
    this.#settings = settings;
    this.#text = new DumpFile(path, preamble(title, settings));
    if (json) this.#ndjson = new DumpFile(path.replace(/\.log$/, '.ndjson'));
    this.#wait(firstAfterMs);
  }

  get path(): string {
    return this.#settings.path;
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Takes the first dump now, if there was none yet. */
  start(): Promise<void> {
    return this.#number === 0 ? this.dump('start') : Promise.resolve();
  }

  /** Takes a dump, after the one under way. Resolves once it is written, has failed, or was given up; never rejects. */
  dump(why: DumpReason): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#wanted = why;
    return (this.#busy ??= this.#dumpWhileWanted());
  }

  /**
   * Waits for what is under way, takes a last dump, and stops. What is not done within `withinMs` is given up; but
   * a look is waited for until it has let the threads go: see `looks-under-way.ts`.
   * @param lastDump whether to take it; of nothing that is left it is a line
   */
  async end({ lastDump, withinMs }: { lastDump: boolean; withinMs: number }): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([lastDump ? this.dump('end') : this.#busy, late]);
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#stop.abort();
    await this.#busy;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.dump(this.#number === 0 ? 'start' : 'interval'), ms);
    this.#timer.unref();
  }

  async #dumpWhileWanted(): Promise<void> {
    clearTimeout(this.#timer);
    for (let why = this.#wanted; why !== undefined && !this.#stopped; why = this.#wanted) {
      this.#wanted = undefined;
      await this.#dumpOne(why);
    }
    this.#busy = undefined;
    if (!this.#stopped) this.#wait(this.#settings.intervalMs);
  }

  async #dumpOne(why: DumpReason): Promise<void> {
    const number = ++this.#number;
    const maxPauseMs = this.#maxPauseOf(why);
    let text: string;
    let line: string | undefined;
    try {
      const inspection = await this.#settings.look({ maxPauseMs, signal: this.#stop.signal });
      const dump = {
        number,
        why,
        maxPauseMs,
        inspection,
        ...this.#history.add(inspection),
        unwritten: this.#unwritten,
      };
      const isLeft =
        why !== 'end' || inspection.threads.some(({ view, awaits }) => view === 'cheap' || awaits.length > 0);
      text = isLeft ? dumpText(dump) : nothingLeftText(dump);
      line = dumpLine(dump);
    } catch (error) {
      text = failureText(number, why, new Date().toISOString(), error as Error);
    }
    if (!this.#stopped) await this.#write(text, line);
  }

  /** Who asks, or waits, wants to know: as with `runtime inspect`. Looks every few seconds must not be in the way. */
  #maxPauseOf(why: DumpReason): number {
    const { maxPauseMs, startMaxPauseMs = maxPauseMs } = this.#settings;
    if (why === 'start') return startMaxPauseMs;
    return PERIODIC.includes(why) ? maxPauseMs : Math.max(maxPauseMs, MAX_PAUSE_MS);
  }

  async #write(text: string, line: string | undefined): Promise<void> {
    try {
      await this.#text.append(text);
      if (line !== undefined) await this.#ndjson?.append(line);
      this.#unwritten = undefined;
    } catch (error) {
      const { message } = error as Error;
      this.#unwritten = { dumps: (this.#unwritten?.dumps ?? 0) + 1, why: message };
      if (this.#hasTold) return;
      this.#hasTold = true;
      this.#settings.onUnwritable(error as Error);
    }
  }
}
