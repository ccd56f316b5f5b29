import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapping, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CodePlace } from '../heap/heap-graph.js';
import type { Session } from '../inspector/session.js';
import type { Place } from '../inspection.js';
import { isBelowOwn, isInternal, isOwn } from './internals.js';

interface Script {
  scriptId: string;
  url: string;
  sourceMapURL?: string;
}

/** The scripts of a thread: which file a place is in, and where in its source. */
export class Scripts {
  readonly #session: Session;
  readonly #byId = new Map<number, Script>();
  readonly #byUrl = new Map<string, Script>();
  readonly #maps = new Map<Script, SourceMap | undefined>();

  readonly #ofHoldfast: boolean;

  /** @param ofHoldfast whether the thread is one of its: there, what carries messages to it is an internal, too */
  constructor(session: Session, ofHoldfast = false) {
    this.#session = session;
    this.#ofHoldfast = ofHoldfast;
  }

  /** Asks for all of them. Without this, places are those of the code that runs. */
  async load(): Promise<void> {
    const off = this.#session.on('Debugger.scriptParsed', (script: Script) => {
      this.#byId.set(Number(script.scriptId), script);
      this.#byUrl.set(script.url, script);
    });
    await this.#session.call('Debugger.enable');
    off();
  }

  /** Of a place that the inspector or a heap snapshot gives; `undefined` for a script that is not known. */
  placeOf(place: CodePlace): Place | undefined {
    const script = this.#byId.get(place.scriptId);
    return script === undefined ? undefined : this.#place(script.url, script, place.line + 1, place.column + 1);
  }

  /** Of a place that a stack gives. */
  placeIn(url: string, line: number, column: number): Place {
    return this.#place(url, this.#byUrl.get(url), line, column);
  }

  /** Whether it is in Node or in holdfast: by the code that runs, wherever its source may be. */
  isInternal(place: CodePlace): boolean {
    return this.isInternalFile(this.#byId.get(place.scriptId)?.url ?? '');
  }

  isInternalFile(url: string): boolean {
    return isInternal(pathOf(url)) || this.isOwnFile(url);
  }

  /** Whether it is in holdfast, or, in a thread of its, in what is below it. */
  isOwnFile(url: string): boolean {
    const file = pathOf(url);
    return isOwn(file) || (this.#ofHoldfast && isBelowOwn(file));
  }

  #place(url: string, script: Script | undefined, line: number, column: number): Place {
    const map = script === undefined ? undefined : this.#mapOf(script);
    if (map !== undefined) {
      // Where nothing is known, what it gives is empty.
      const { originalSource, originalLine, originalColumn } = map.findEntry(
        line - 1,
        column - 1,
      ) as Partial<SourceMapping>;
      if (originalSource !== undefined && originalLine !== undefined && originalColumn !== undefined) {
        return {
          file: pathOf(resolved(originalSource, script!.url)),
          line: originalLine + 1,
          column: originalColumn + 1,
        };
      }
    }
    return { file: pathOf(url), line, column };
  }

  #mapOf(script: Script): SourceMap | undefined {
    if (!script.sourceMapURL) return undefined;
    if (!this.#maps.has(script)) this.#maps.set(script, readMap(script.sourceMapURL, script.url));
    return this.#maps.get(script);
  }
}

function readMap(mapUrl: string, scriptUrl: string): SourceMap | undefined {
  try {
    const text = mapUrl.startsWith('data:')
      ? textOfDataUrl(mapUrl)
      : readFileSync(new URL(resolved(mapUrl, scriptUrl)), 'utf8');
    const payload = JSON.parse(text) as SourceMapPayload & { sourceRoot?: string };
    const base = mapUrl.startsWith('data:') ? scriptUrl : resolved(mapUrl, scriptUrl);
    const root = payload.sourceRoot ? payload.sourceRoot.replace(/\/?$/, '/') : '';
    return new SourceMap({
      ...payload,
      sourceRoot: '',
      sources: payload.sources.map((source) => resolved(root + source, base)),
    });
  } catch {
    // Without it, places are those of the code that runs: true as well.
    return undefined;
  }
}

function textOfDataUrl(url: string): string {
  const comma = url.indexOf(',');
  const data = url.slice(comma + 1);
  return url.slice(0, comma).endsWith(';base64')
    ? Buffer.from(data, 'base64').toString('utf8')
    : decodeURIComponent(data);
}

/** CommonJS modules are known by their path. */
function resolved(reference: string, base: string): string {
  try {
    return new URL(reference, base.startsWith('/') ? `file://${base}` : base).href;
  } catch {
    return reference;
  }
}

function pathOf(url: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url;
  } catch {
    return url;
  }
}
