import { HoldfastError } from '../base/errors.js';
import { UndoList } from '../base/undo-list.js';
import type { TraceLog } from '../debug/trace/trace-log.js';
import type { Steering } from '../runtime/control/messages.js';
import type { Executor } from '../runtime/executor.js';
import type { HealthServer } from '../runtime/health/http-server.js';
import type { ResolvedOptions } from '../runtime/options.js';
import { traitsOf } from '../runtime/queue/open-queue.js';
import { startExecutor, type StartedExecutor, type StartSettings } from '../runtime/start-executor.js';
import type { StopMessage } from '../runtime/supervisor/messages.js';
import type { AnyHandler } from '../runtime/task/handlers.js';
import { recordOutput } from './output/record-output.js';
import { decode } from '../runtime/task/codec.js';
import { newTasks } from '../runtime/task/new-task.js';
import type { Encoded } from '../runtime/task/task.js';
import type { Stops } from './stops.js';
import { dumpLongDrains, endTrace } from './trace-of-run.js';

type Control = typeof import('../runtime/control/server.js');

/** What a host does that is asked to steer its run; what is left out, the executor does. */
interface Host extends Partial<Pick<Steering, 'pause' | 'resume' | 'drain'>> {
  /** Whether it is about to end: nothing would run what is added then, or tried again. */
  isEnding?(): boolean;
  /** So many tasks were taken back, to be tried again. */
  retried?(count: number): void;
  /** Asked by a signal, or by the supervisor. */
  stop?(stop: StopMessage): void;
}

/** All of it ends with the run, and also where the start fails. */
export interface HostSettings<Module> {
  start?: StartSettings;
  /** Default: nobody asks it to stop but code. */
  stops?: Stops | undefined;
  /** Serves health and metrics already; answers for the executor once there is one. */
  health?: HealthServer | undefined;
  trace?: TraceLog | undefined;
  /** Whether systemd is told how the run stands, where that has started this process. Default false. */
  systemd?: boolean;
  /** Called once the executor has started, before anybody can reach it. */
  hosts?: (started: StartedExecutor<Module>) => Host | Promise<Host>;
}

export interface HostedRun<Module> extends StartedExecutor<Module> {
  /** Stops the executor, and ends all that surrounds it. A second call does nothing. Rejects as `executor.stop` does. */
  end(): Promise<void>;
}

/**
 * Starts an executor, and puts around it what makes it a run that others can
 * watch and steer: signals, health, dumps, systemd, control socket. The socket
 * answers until no thread is left: a stop that hangs can be seen.
 *
 * @throws as `startExecutor` does, and what `hosts` throws. Nothing is left behind then.
 */
export async function hostRun<Module = Record<string, AnyHandler>>(
  options: ResolvedOptions,
  settings: HostSettings<Module> = {},
): Promise<HostedRun<Module>> {
  const { stops, health, trace } = settings;
  const undo = new UndoList();
  let interrupted = true;
  if (health !== undefined) undo.add(() => health.close());
  undo.add(() => endTrace(trace, interrupted));
  // Loaded while the executor starts.
  const control = options.steerable ? import('../runtime/control/server.js') : undefined;
  try {
    const started = await startExecutor<Module>(options, {
      ...settings.start,
      ...(stops !== undefined && { signal: stops.endStart }),
    });
    const executor = started.executor as unknown as Executor;
    if (settings.start?.captureOutput) {
      const endOutput = recordOutput(executor, { fresh: settings.start.fresh === true });
      // A run in memory is to leave an empty folder, which `stop` removes.
      executor.atEnd(() => endOutput(traitsOf(options).outlivesProcess));
    }
    undo.add(() => executor.stop());
    undo.add(() => endTrace(trace, interrupted));
    interrupted = false;
    // Asked to stop while it started, it runs nothing: not even what its predecessor left running.
    if (stops?.early !== undefined) void executor.drain();
    health?.serve(executor);
    if (trace !== undefined) {
      dumpLongDrains(executor, trace);
      void trace.start();
    }
    const host = (await settings.hosts?.(started)) ?? {};
    if (settings.systemd) await tellSystemd(executor);
    stops?.listen((stop) => {
      if (stop.force && !interrupted) {
        interrupted = true;
        // What it was that took too long.
        void trace?.dump('drain');
      }
      host.stop?.(stop);
    });
    if (control !== undefined) await openToOthers(executor, host, await control);
    return { ...started, end: () => undo.undo() };
  } catch (error) {
    await undo.undo().catch(() => {});
    throw error;
  }
}

/** @throws HoldfastError `ERR_STATE_DIR` when there can be no socket */
async function openToOthers(executor: Executor, host: Host, { serveControl }: Control): Promise<void> {
  const mustGoOn = () => {
    if ((executor.mode === 'running' || executor.mode === 'paused') && !host.isEnding?.()) return;
    throw new HoldfastError('ERR_EXECUTOR_STOPPED', `run ${executor.runId} is ending, and takes no more tasks`, {
      hint: 'Start the run again.',
    });
  };
  const server = await serveControl(executor.runDir, {
    status: () => executor.status(),
    probe: () => executor.probe(),
    pause: () => executor.pause(),
    resume: () => executor.resume(),
    // Whoever waits for a task that stays in the queue hears so from the stop.
    drain: () => void executor.drain().then(() => executor.stop().catch(() => {})),
    handlers: async () => ({
      handlers: [...executor.handlers],
      handler: (await executor.encoded.defaultHandler()) ?? null,
    }),
    cancel: (id) => executor.cancel(id),
    retry: async (states) => {
      mustGoOn();
      const count = await executor.retry(states);
      host.retried?.(count);
      return count;
    },
    retryTask: async (id) => {
      mustGoOn();
      const isRetried = await executor.retryTask(id);
      if (isRetried) host.retried?.(1);
      return isRetried;
    },
    add: async (given) => {
      mustGoOn();
      return executor.encoded.add(newTasks(executor.handlers, given, received));
    },
    scale: (threads) => executor.scale(threads),
    ...host,
  });
  executor.atEnd(() => server.close());
  executor.announce(server.path);
}

/** An input as it came through the socket. @throws Error when it is none */
function received(input: unknown): Encoded {
  const { json, bytes } = (input ?? {}) as { json?: string; bytes?: string };
  if (bytes !== undefined) {
    const encoded = Buffer.from(String(bytes), 'base64');
    decode(encoded);
    return encoded;
  }
  JSON.parse(String(json));
  return String(json);
}

async function tellSystemd(executor: Executor): Promise<void> {
  if (!process.env['NOTIFY_SOCKET']) return;
  const { notifySystemd } = await import('./notify-systemd.js');
  executor.atEnd(notifySystemd(executor));
}
