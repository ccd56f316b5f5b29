import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { FromExecutor, StartMessage, StopMessage, ToExecutor } from './messages.js';
import { DATA_FD } from './messages.js';

/** The executor process's end of the channel to its supervisor. */
export interface SupervisedProcess<Job, Carried> {
  /** Takes lines of data, for standard output. */
  data: Writable;
  /** Resolves with the job. */
  start: Promise<StartMessage<Job, Carried>>;
  /** Stops that came before are told at once. */
  onStop(listener: (message: StopMessage) => void): void;
  /** Resolves once the supervisor has it. */
  tell(message: FromExecutor<Carried>): Promise<void>;
}

/**
 * Connects to the supervisor that started this process.
 *
 * If the supervisor dies, this process ends itself: at once and by SIGKILL, as
 * nothing may keep the lock from going free, and everything that counts is on
 * disk. The terminal's signals reach the supervisor alone, which passes them on.
 */
export function connectToSupervisor<Job, Carried>(): SupervisedProcess<Job, Carried> {
  const stopListeners: ((message: StopMessage) => void)[] = [];
  const stops: StopMessage[] = [];
  let onStart!: (message: StartMessage<Job, Carried>) => void;
  const start = new Promise<StartMessage<Job, Carried>>((resolve) => (onStart = resolve));
  process.on('message', (message: ToExecutor<Job, Carried>) => {
    if (message.type === 'start') {
      onStart(message);
      return;
    }
    if (message.type === 'dump') {
      // As if the signal had come here, but for what it does where nobody listens (yet): it would end the process.
      process.emit('SIGUSR2', 'SIGUSR2');
      return;
    }
    stops.push(message);
    for (const listener of stopListeners) listener(message);
  });
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', end);
  // It died while this process was loading, and nobody was told.
  if (!process.connected) end();
  const toSelf = (signal: NodeJS.Signals) => () => {
    for (const listener of stopListeners) listener({ type: 'stop', signal, force: false });
  };
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', toSelf('SIGTERM'));
  return {
    start,
    data: new Socket({ fd: DATA_FD, writable: true }),
    onStop: (listener) => {
      stopListeners.push(listener);
      for (const stop of stops) listener(stop);
    },
    tell: (message) => new Promise((resolve) => process.send!(message, () => resolve())),
  };
}
