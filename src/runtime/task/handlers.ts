import type { TaskContext } from '../thread/context.js';

/** A function of the module, as far as its type is known: what it takes is its own business. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyHandler = (input: any, context: TaskContext) => unknown;

/** The names of the functions among what a module exports. */
export type HandlerName<Module> = {
  [Name in keyof Module]: Module[Name] extends AnyHandler ? Name : never;
}[keyof Module] &
  string;

/** What a handler of the module takes. */
export type HandlerInput<Module, Name extends keyof Module> = Module[Name] extends AnyHandler
  ? Parameters<Module[Name]>[0]
  : never;

/** What a handler of the module returns, or what its promise resolves with. */
export type HandlerResult<Module, Name extends keyof Module> = Module[Name] extends AnyHandler
  ? Awaited<ReturnType<Module[Name]>>
  : never;
