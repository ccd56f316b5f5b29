/** What goes through the control socket: plain HTTP, JSON both ways. Types only. */
import type { ExecutorStatus, ProbeAnswers } from '../status.js';
import type { OutcomeState } from '../task/task.js';
import type { AddedTask } from '../queue/contract.js';

/** These are answered with the status after the request was carried out. */
export type StatusRequest = 'status' | 'pause' | 'resume' | 'drain';

/** What an input is sent as: its JSON text, or where it has none, the bytes of its structured clone as base64. */
export type SentInput = { json: string } | { bytes: string };

/** A task that is named by its id, and whether what was asked for was done to it. */
export interface TaskAnswer {
  id: string;
  changed: boolean;
}

/** Requests with a body: what it is, and what they are answered with. */
export interface Requests {
  cancel: { body: { ids: readonly string[] }; answer: { tasks: TaskAnswer[] } };
  retry: { body: { states: readonly OutcomeState[] }; answer: { retried: number } };
  'retry-tasks': { body: { ids: readonly string[] }; answer: { tasks: TaskAnswer[] } };
  add: { body: { tasks: readonly unknown[] }; answer: { tasks: AddedTask[] } };
  scale: { body: { threads: number }; answer: ExecutorStatus };
}

/** The functions that tasks can name. */
export interface RunHandlers {
  handlers: readonly string[];
  /** The one for tasks that name none; `null`: each names its own. */
  handler: string | null;
}

/** What a run lets other processes of this user do with it. */
export interface Steering {
  status(): Promise<ExecutorStatus>;
  probe(): ProbeAnswers;
  handlers(): Promise<RunHandlers>;
  pause(): void;
  resume(): void;
  /** Lets what runs come to its end, and ends the run. */
  drain(): void;
  /** Whether it was cancelled. */
  cancel(id: string): Promise<boolean>;
  /** Gives the number of tasks. */
  retry(states: readonly OutcomeState[]): Promise<number>;
  /** Whether it had an outcome that was taken back. */
  retryTask(id: string): Promise<boolean>;
  /** @param tasks as `enqueue` takes them, each input as `SentInput`; not checked yet */
  add(tasks: readonly unknown[]): Promise<AddedTask[]>;
  scale(threads: number): Promise<void>;
}

/** An error on its way: as much of it as tells what is wrong, and what to type next. */
export interface SentError {
  error: string;
  code?: string | undefined;
  hint?: string | undefined;
}
