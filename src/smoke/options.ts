/**
 * What the section `smoke` of a config file may hold. Loads zod, so import it
 * with `await import()`; the flags of `runtime smoke` are checked without it.
 */
import { z } from 'zod';
import { quoted } from '../base/faults.js';
import { duration, text, whole } from '../runtime/options.js';
import type { EventSource } from './event-source.js';
import type { PostCondition } from './post-conditions.js';
import { DEFAULT_TIMEOUT_MS, MAX_THREADS } from './settings.js';

/** Made by the user, perhaps by a class of theirs: looked at, and handed on as it is. */
const postCondition = z.custom<PostCondition>().superRefine((value, context) => {
  const { name, severity, expected, check } = (value ?? {}) as unknown as Partial<Record<string, unknown>>;
  const refuse = (key: string, expected: string, got: unknown) =>
    context.addIssue({ code: 'custom', path: [key], message: `must be ${expected}, got ${quoted(got)}` });
  if (typeof value !== 'object' || value === null) {
    context.addIssue(`must be { name, expected, check }, got ${quoted(value)}`);
    return;
  }
  if (typeof name !== 'string' || name === '') refuse('name', 'a string', name);
  if (typeof expected !== 'string' || expected === '') refuse('expected', 'a string', expected);
  if (typeof check !== 'function') refuse('check', 'a function', check);
  if (severity !== undefined && severity !== 'fail' && severity !== 'warn') {
    refuse('severity', '"fail" or "warn"', severity);
  }
});

/** One schema an option. */
export const SMOKE_CHECKS = {
  timeout: duration(1).default(DEFAULT_TIMEOUT_MS),
  threads: whole(1, MAX_THREADS).optional(),
  handler: text('must be a file of handlers, or file#export').optional(),
  eventSource: z
    .custom<EventSource>((value) => typeof value === 'function', {
      error: (issue) => `must be a function (signal) => events, got ${quoted(issue.input)}`,
    })
    .optional(),
  postConditions: z
    .array(postCondition, {
      error: (issue) => `must be a list of { name, expected, check }, got ${quoted(issue.input)}`,
    })
    .default([]),
};
