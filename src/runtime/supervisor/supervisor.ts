import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { PreviousDeath } from '../queue/contract.js';
import { LineRelay } from './line-relay.js';
import { DATA_FD, KEEPER_FD, type FromExecutor, type ToExecutor } from './messages.js';

/** Deaths in a row without a single outcome, beyond those that a culprit is granted, before it is given up. */
const BARREN_DEATHS = 5;

/**
 * An executor told to stop at once gets this long, in ms, beyond twice the grace
 * (of its tasks, and of what its threads still have to do): a look at a thread
 * that does not stop takes up to 5 s, its end 2 s, and the summary is to come out.
 */
const FORCED_EXIT_MS = 10_000;

/** To exit takes an executor so many ms at most, with all said and done; or the grace, if that is longer. */
const EXIT_MS = 1000;

/** Signals that end a process from outside; any other means that it brought itself down. */
const FROM_OUTSIDE = new Set<NodeJS.Signals>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXCPU']);

export interface SupervisorSettings {
  /** JavaScript file of the executor process. */
  entry: string;
  /**
   * Descriptor of the lock, held by this process; every executor shares it, so
   * it is never free in between. `undefined` once the lock was lost.
   */
  lockFd(): number | undefined;
  /** Where the data of the executors goes. */
  output: Writable;
  /** Keeps the queue for an executor that is being started, which asks for it on this line if it is a durable one. */
  keep(line: Duplex): void;
  /** An executor died; `restarting`: another one is started. */
  onDeath(how: string, restarting: boolean): void;
}

/**
 * When somebody looks into the executor, Node would write where its inspector
 * listens to standard error, through the progress bar. Who asked for an inspector is told.
 */
function quietInspector(): string[] {
  return process.execArgv.some((flag) => flag.startsWith('--inspect')) ? [] : ['--inspect-publish-uid=http'];
}

/**
 * The parent of an executor process. It runs no task, so no task can take it
 * down: when the executor dies, it starts another one and tells it how the last
 * one ended, by which the culprit is found.
 */
export class Supervisor<Job, Carried> {
  readonly #settings: SupervisorSettings;
  readonly #relay: LineRelay;
  #child: ChildProcess;
  #job: { value: Job; maxCrashes: number; graceMs: number; continues: boolean } | undefined;
  #previousDeath: { death: PreviousDeath; signal: string | null } | undefined;
  #carried: Carried | null = null;
  #restarts = 0;
  #barrenDeaths = 0;
  #stopping: { signal: NodeJS.Signals; force: boolean } | undefined;
  /** By the third signal: that it ends so is what was asked for. */
  #endedAtOnce = false;
  readonly #done: Promise<number>;
  #finish!: (exitCode: number) => void;

  /** Starts the executor process at once; it waits for its job. */
  constructor(settings: SupervisorSettings) {
    this.#settings = settings;
    this.#relay = new LineRelay(settings.output);
    this.#done = new Promise((resolve) => (this.#finish = resolve));
    this.#child = this.#spawn();
  }

  /**
   * Gives the executor its job, and resolves with the exit code once it has ended on purpose.
   *
   * @param continues whether another executor can go on where one has died; else it is not replaced
   */
  run(job: Job, { maxCrashes, graceMs }: { maxCrashes: number; graceMs: number }, continues: boolean): Promise<number> {
    this.#job = { value: job, maxCrashes, graceMs, continues };
    this.#start();
    return this.#done;
  }

  /** Whether the reader of the output has gone. */
  get outputLost(): boolean {
    return this.#relay.targetLost;
  }

  /** The first signal lets what runs come to its end, the second interrupts it, the third ends the executor. */
  stop(signal: NodeJS.Signals): void {
    const force = this.#stopping !== undefined;
    const atOnce = this.#stopping?.force === true;
    this.#stopping = { signal, force };
    if (atOnce) {
      this.#endedAtOnce = true;
      this.#child.kill('SIGKILL');
      return;
    }
    this.#send({ type: 'stop', signal, force });
    if (!force) return;
    setTimeout(() => this.#child.kill('SIGKILL'), 2 * (this.#job?.graceMs ?? 0) + FORCED_EXIT_MS).unref();
  }

  /** Whether the run was told to end. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** The executor process that is there now. */
  get executorPid(): number | undefined {
    return this.#child.pid;
  }

  /** The terminal has another size, and tells only its own session. */
  resize(): void {
    this.#child.kill('SIGWINCH');
  }

  /** Passes SIGUSR2 on. */
  dump(): void {
    this.#send({ type: 'dump' });
  }

  /** Ends the executor process, which has no job yet. Resolves once it is gone, and its share of the lock with it. */
  async abandon(): Promise<void> {
    const child = this.#child;
    child.removeAllListeners('exit');
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [...quietInspector(), ...process.execArgv, this.#settings.entry], {
      // A session of its own: what the terminal sends would else reach what tasks have started, and end it.
      detached: true,
      stdio: ['ignore', 2, 2, 'ipc', this.#settings.lockFd(), 'pipe', 'pipe'],
    });
    const data = (child.stdio as readonly unknown[])[DATA_FD] as Readable;
    this.#relay.pass(data);
    this.#settings.keep((child.stdio as readonly unknown[])[KEEPER_FD] as Duplex);
    let finished: number | undefined;
    child.on('message', (message: FromExecutor<Carried>) => {
      if (message.type === 'finished') {
        finished = message.exitCode;
        // All is said. What keeps it longer is native code in a thread, which nobody can end.
        const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(EXIT_MS, this.#job?.graceMs ?? 0));
        child.once('exit', () => clearTimeout(timer));
      }
      if (message.type === 'carry') this.#carried = message.carried;
      if (message.type === 'progressed') this.#barrenDeaths = 0;
    });
    child.on('error', (error) => {
      this.#settings.onDeath(`could not be started: ${error.message}`, false);
      this.#finish(1);
    });
    child.on('exit', (code, signal) => {
      const judge = () => {
        if (finished === undefined) this.#onDeath(code, signal);
        else this.#finish(finished);
      };
      // Its last words may still lie in the channel, and in the pipe.
      // (Not by `once` of node:events: that is rejected by an error, which is no reason not to judge.)
      const judgeOnceClosed = () => (data.closed ? judge() : data.once('close', judge));
      if (child.connected) child.once('disconnect', judgeOnceClosed);
      else judgeOnceClosed();
    });
    return child;
  }

  #start(): void {
    const { value: job } = this.#job!;
    const last = this.#previousDeath;
    const { lines } = this.#relay;
    const predecessor =
      last === undefined ? null : { ...last, restarts: this.#restarts, lines, carried: this.#carried };
    this.#send({ type: 'start', job, predecessor });
    if (this.#stopping) this.#send({ type: 'stop', ...this.#stopping });
  }

  #onDeath(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    if (this.#stopping?.force) {
      if (!this.#endedAtOnce) this.#settings.onDeath(how, false);
      this.#finish(128 + constants.signals[this.#stopping.signal]);
      return;
    }
    this.#previousDeath = { death: signal !== null && FROM_OUTSIDE.has(signal) ? 'killed' : 'crashed', signal };
    this.#barrenDeaths++;
    const locked = this.#settings.lockFd() !== undefined;
    const restarting =
      locked && this.#job?.continues !== false && this.#barrenDeaths <= (this.#job?.maxCrashes ?? 0) + BARREN_DEATHS;
    this.#settings.onDeath(how, restarting);
    if (!restarting) {
      this.#finish(1);
      return;
    }
    this.#restarts++;
    this.#child = this.#spawn();
    if (this.#job) this.#start();
  }

  #send(message: ToExecutor<Job, Carried>): void {
    // One that has just died cannot be told; its successor is.
    this.#child.send(message, () => {});
  }
}
