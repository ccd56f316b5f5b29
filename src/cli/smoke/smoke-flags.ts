/** The flags of `runtime smoke`, checked as a whole. */
import { accessSync, constants, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InvalidInputError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { MAX_DURATION_MS } from '../../base/units.js';
import { readOption } from '../../options/read-options.js';
import { SMOKE_OPTIONS } from '../../options/smoke-options.js';
import type { EventSource } from '../../smoke/event-source.js';
import type { PostCondition } from '../../smoke/post-conditions.js';
import type { HandlerChoice, SmokeSettings } from '../../smoke/settings.js';
import { chooseHandler, handlerFile } from '../arguments/choose-handler.js';
import { clashOf, type OwnFile } from '../arguments/own-files.js';
import { flagNames } from '../arguments/flags.js';
import { unknownArguments } from '../arguments/unknown-arguments.js';

/** What commander collected, and what the config file says where no flag was given. */
export interface GivenToSmoke {
  timeout?: string | number;
  threads?: string | number;
  json?: boolean;
  junit?: string;
  /** Path of the config file, if there is one. */
  config?: string;
  color?: boolean;
  /** These come from the config file alone, and were checked with it. */
  handler?: string;
  eventSource?: EventSource;
  postConditions?: PostCondition[];
}

export interface SmokeFlags {
  settings: SmokeSettings;
  json: boolean;
  /** File for the JUnit report, absolute. */
  junit: string | undefined;
  color: boolean;
}

const BUILT_IN_HANDLER: HandlerChoice = {
  module: new URL('../../dryrun/handler.js', import.meta.url).href,
  choose: () => 'consume',
};

/**
 * @param extra arguments that no flag took
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault
 */
export function resolveSmokeFlags(
  given: GivenToSmoke,
  extra: readonly string[],
  env: Record<string, string | undefined> = process.env,
): SmokeFlags {
  const faults: Fault[] = [];
  const check = <T>(where: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      faults.push({ where, problem: (error as Error).message });
      return undefined;
    }
  };
  const seconds = env['BOOT_TIMEOUT_S'];
  const timeoutMs =
    given.timeout === undefined && seconds
      ? check('BOOT_TIMEOUT_S', () => secondsOf(seconds))
      : check('--timeout', () => readOption(SMOKE_OPTIONS.timeout, given.timeout, 'flag'));
  const threads = check('--threads', () => readOption(SMOKE_OPTIONS.threads, given.threads, 'flag'));
  const handler =
    given.handler === undefined ? BUILT_IN_HANDLER : check('smoke.handler', () => handlerOf(given.handler!));
  const junit =
    given.junit === undefined
      ? undefined
      : check('--junit', () => writable(given.junit!, ownFiles(given.config, handler)));
  const about = { known: flagNames(SMOKE_OPTIONS), command: 'runtime smoke', tooMany: 'a smoke test takes none' };
  faults.push(...unknownArguments(extra, about));
  if (faults.length > 0 || timeoutMs === undefined || threads === undefined || handler === undefined) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was started', faults, {
      hint: 'runtime smoke --help lists every flag with an example.',
    });
  }
  return {
    settings: {
      timeoutMs,
      threads,
      handler,
      eventSource: given.eventSource ?? defaultSource,
      postConditions: given.postConditions ?? [],
    },
    json: given.json ?? false,
    junit,
    color: given.color ?? true,
  };
}

async function* defaultSource(): AsyncGenerator<unknown, void, undefined> {
  const { defaultEvents } = await import('../../smoke/default-events.js');
  yield* defaultEvents();
}

function secondsOf(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : NaN;
  if (ms >= 1 && ms <= MAX_DURATION_MS) return Math.ceil(ms);
  throw new Error(`must be seconds, from 0.001 to ${Math.floor(MAX_DURATION_MS / 1_000)}, got ${quoted(text)}`);
}

function ownFiles(config: string | undefined, handler: HandlerChoice | undefined): OwnFile[] {
  const files: OwnFile[] = [];
  if (config !== undefined) files.push({ file: config, is: 'is the config file' });
  if (handler !== undefined) files.push({ file: fileURLToPath(handler.module), is: 'is the module of the handler' });
  return files;
}

/** Checked before anything is started; the file itself is made when there is something to write. */
function writable(file: string, own: readonly OwnFile[]): string {
  const path = resolve(file);
  const refused = (why: string) => new Error(`${JSON.stringify(file)} cannot be written: ${why}`);
  if (file === '') throw new Error('must be a file, got ""');
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw refused('it is a folder');
  const clash = clashOf(path, own);
  if (clash !== undefined) throw new Error(`${JSON.stringify(file)} ${clash}, and would be overwritten`);
  try {
    accessSync(found === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw refused(code === 'ENOENT' ? 'there is no such folder' : message);
  }
  return path;
}

/** Of the config file, where its key is `smoke.handler`. */
function handlerOf(text: string): HandlerChoice {
  const chosen = handlerFile(text, process.cwd());
  if (chosen === undefined) throw new Error(`${quoted(text)} cannot be loaded: there is no such file`);
  const module = pathToFileURL(chosen.file).href;
  const asKey = (name: string) => `handler: '${basename(chosen.file)}#${name}'`;
  return { module, choose: (exported) => chooseHandler(module, chosen.name, exported, asKey) };
}
