import type { TaskContext } from '../thread/context.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any input: what a handler takes is its own business
export type AnyHandler = (input: any, context: TaskContext) => unknown;

/** The names of the functions among what a module exports. */
export type HandlerName<Module> = {
  [Name in keyof Module]: Module[Name] extends AnyHandler ? Name : never;
}[keyof Module] &
  string;

export type HandlerInput<Module, Name extends keyof Module> = Module[Name] extends AnyHandler
  ? Parameters<Module[Name]>[0]
  : never;

export type HandlerResult<Module, Name extends keyof Module> = Module[Name] extends AnyHandler
  ? Awaited<ReturnType<Module[Name]>>
  : never;
