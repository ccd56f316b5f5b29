import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Group } from './children.js';
import { REAPER_VARIABLE } from './marker.js';

const REAPER_PROCESS = fileURLToPath(new URL('./reaper-process.js', import.meta.url));

/**
 * A shell waits, not a Node: 1 ms and 1 MB instead of 40 ms and 40 MB, and most
 * runs never need more. Groups come and go by lines; the end of its standard
 * input without a `.` is our death. Then Node does the work, or, where it cannot
 * be started any more, the shell what it can.
 */
const SCRIPT = `
trap '' INT TERM HUP
live=" $1 "
shift
while read -r op group; do
  case $op in
    +) live="$live$group " ;;
    -) live="\${live%%" $group "*} \${live#*" $group "}" ;;
    .) exit 0 ;;
  esac
done
echo "$live" | "$@" && exit
for group in $live; do kill -KILL -- "-\${group%%:*}"; done
`;

/** Whose executor has died works for nobody any more, and the next executor waits for its end. */
const MAX_GRACE_MS = 2_000;

/** It is told to go once all is over; past this many ms it is ended. */
const GOODBYE_MS = 1_000;

/** One that dies is replaced, but not for ever. */
const MAX_DEATHS = 5;

export interface ReaperSettings {
  /** From the SIGTERM to what was left behind to its SIGKILL, in ms. */
  graceMs: number;
  /** Descriptors that stay open until all is ended: so the lock of the run, which keeps the next executor waiting. */
  holds(): readonly number[];
  /** It cannot be started: what tasks have started outlives a SIGKILL of this process. */
  onTrouble(error: Error): void;
}

/**
 * Ends what tasks have started when this process dies, even by SIGKILL: another
 * process, in a session of its own, which is told of their process groups and
 * sees our end. Started when a task first starts a child.
 */
export class Reaper {
  /** Of this executor: all marks begin with it. Nobody can guess it. */
  readonly #mark = randomBytes(12).toString('hex');
  readonly #settings: ReaperSettings;
  readonly #groups = new Map<number, Group>();
  /** Shared with all threads; 1: it is there, or cannot be had. */
  readonly state = new Int32Array(new SharedArrayBuffer(4));
  #shell: ChildProcess | undefined;
  #marks = 0;
  #deaths = 0;
  #closed = false;

  constructor(settings: ReaperSettings) {
    this.#settings = settings;
  }

  /** For a thread. */
  newMark(): string {
    return `${this.#mark}.${++this.#marks}`;
  }

  /** When it comes back, the process is there. */
  start(): void {
    if (this.#shell !== undefined || this.#closed) return;
    const { graceMs, holds } = this.#settings;
    const node = [process.execPath, REAPER_PROCESS, this.#mark, String(Math.min(graceMs, MAX_GRACE_MS))];
    // Of the environment, options for Node would be loaded there as well.
    const { NODE_OPTIONS: _, ...environment } = process.env;
    const groups = [...this.#groups.values()].map(wordOf).join(' ');
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'holdfast-reaper', groups, ...node], {
      stdio: ['pipe', 'ignore', 'ignore', ...holds()],
      env: { ...environment, [REAPER_VARIABLE]: '1' },
      cwd: '/',
      detached: true,
    });
    this.#shell = shell;
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    shell.stdin!.on('error', () => {}); // it has died, and is replaced
    shell.once('error', (error) => this.#onDeath(error));
    shell.once('exit', (code, signal) => this.#onDeath(new Error(`it ended: ${signal ?? code}`)));
    Atomics.store(this.state, 0, 1);
    Atomics.notify(this.state, 0);
  }

  /** Tells it of a process group of a task. */
  watch(group: Group): void {
    this.#groups.set(group.id, group);
    this.#tell('+', group);
  }

  /** The group has no members any more. */
  forget(id: number): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    this.#groups.delete(id);
    this.#tell('-', group);
  }

  /** Lets it go, with nothing left to end. Resolves once it is gone, and closed what it held. */
  async close(): Promise<void> {
    this.#closed = true;
    const shell = this.#shell;
    if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const gone = once(shell, 'exit');
    const timer = setTimeout(() => shell.kill('SIGKILL'), GOODBYE_MS);
    shell.ref();
    shell.stdin!.end('.\n');
    await gone;
    clearTimeout(timer);
  }

  #tell(what: '+' | '-', group: Group): void {
    this.#shell?.stdin!.write(`${what} ${wordOf(group)}\n`);
  }

  #onDeath(error: Error): void {
    if (this.#closed) return;
    this.#shell = undefined;
    if (++this.#deaths < MAX_DEATHS) this.start();
    else this.#settings.onTrouble(error);
  }
}

function wordOf({ id, startTicks }: Group): string {
  return `${id}:${startTicks}`;
}
