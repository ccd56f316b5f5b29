import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { formatDuration } from '../../base/units.js';
import { BEAT_INTERVAL_MS } from './heartbeat.js';

/** How often the status line is told anew while nothing else is, in ms. */
const STATUS_INTERVAL_MS = 5000;

/** `systemd-notify` waits for systemd to have read what it was sent; longer than this, nobody does. In ms. */
const PATIENCE_MS = 2000;

/** Beats come once a second, and half of the watchdog's time must not be less. */
export const LEAST_WATCHDOG_MS = 2 * BEAT_INTERVAL_MS;

export interface SystemdSettings {
  /** `WATCHDOG_USEC`, in ms; `undefined`: no watchdog, or not for this service. */
  watchdogMs: number | undefined;
  /** systemd could not be told. Told once. */
  onTrouble(error: Error): void;
}

/**
 * Tells systemd how a service stands: see sd_notify(3).
 *
 * Node has no datagram sockets of Unix, so the program `systemd-notify` sends
 * what there is to say: it is part of systemd. Never two of them at a time;
 * what comes meanwhile goes together.
 */
export class SystemdNotifier {
  readonly #settings: SystemdSettings;
  readonly #pending = new Map<string, string>();
  #sending: Promise<void> | undefined;
  #told = false;
  #status = '';
  #statusAt = -Infinity;
  #watchdogAt = -Infinity;
  #stopping = false;

  constructor(settings: SystemdSettings) {
    this.#settings = settings;
  }

  /** The service takes work. */
  ready(status: string): void {
    this.#setStatus(status);
    this.#tell({ READY: '1' });
  }

  /** A beat came: the watchdog may know. */
  beat(status: string): void {
    const { watchdogMs } = this.#settings;
    // Half of its time, to the nearest beat.
    const due =
      watchdogMs !== undefined && performance.now() - this.#watchdogAt >= watchdogMs / 2 - BEAT_INTERVAL_MS / 2;
    if (due) this.#watchdogAt = performance.now();
    if (due || performance.now() - this.#statusAt >= STATUS_INTERVAL_MS) this.#setStatus(status);
    this.#tell(due ? { WATCHDOG: '1' } : {});
  }

  /** The service is about to end. */
  stopping(status: string): void {
    this.#setStatus(status);
    this.#tell(this.#stopping ? {} : { STOPPING: '1' });
    this.#stopping = true;
  }

  /** Resolves once all was told, or could not be. */
  async close(): Promise<void> {
    await this.#sending;
  }

  #setStatus(status: string): void {
    this.#statusAt = performance.now();
    if (status === this.#status) return;
    this.#status = status;
    this.#pending.set('STATUS', status);
  }

  #tell(variables: Record<string, string>): void {
    for (const [name, value] of Object.entries(variables)) this.#pending.set(name, value);
    if (this.#pending.size > 0) this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    // So that the promise is in its place when this comes to its end.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const variables = [...this.#pending].map(([name, value]) => `${name}=${value}`);
      this.#pending.clear();
      const error = await send(variables);
      if (error && !this.#told) {
        this.#told = true;
        this.#settings.onTrouble(new Error(`systemd cannot be notified: ${error.message.trim()}`));
      }
    }
    this.#sending = undefined;
  }
}

/**
 * What the environment says of the watchdog. `WATCHDOG_PID` names the process
 * that is to feed it: another one than `pids`, and it is not meant for us.
 */
export function watchdogOf(env: NodeJS.ProcessEnv, pids: readonly number[]): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  if (!usec || !/^\d+$/.test(usec) || Number(usec) === 0) return undefined;
  if (pid && !pids.includes(Number(pid))) return undefined;
  return Number(usec) / 1000;
}

/** Gives why they could not be sent, or nothing. */
async function send(variables: string[]): Promise<Error | undefined> {
  try {
    await promisify(execFile)('systemd-notify', variables, { timeout: PATIENCE_MS });
    return undefined;
  } catch (error) {
    const { code, killed, stderr, message } = error as Error & { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return new Error('there is no program systemd-notify');
    if (killed) return new Error(`systemd-notify was not done within ${formatDuration(PATIENCE_MS)}`);
    return new Error(stderr?.trim() || message);
  }
}
