/** What the section `smoke` of a config file may hold where that is a module: functions. */
import type { Fault } from '../base/errors.js';
import { quoted } from '../base/faults.js';
import { mustBe } from '../base/option-checks.js';
import type { Kind, Options } from '../options/option.js';
import { Refusal } from '../options/refusal.js';
import type { EventSource } from './event-source.js';
import type { PostCondition } from './post-conditions.js';

const eventSource: Kind<EventSource> = {
  read(given) {
    if (typeof given === 'function') return given as EventSource;
    throw new Refusal(`must be a function (signal) => events, got ${quoted(given)}`);
  },
  takes: '`(signal) => events`, an async iterable or an iterable; in a module alone',
  json: {},
};

const postConditions: Kind<PostCondition[]> = {
  read(given) {
    if (!Array.isArray(given)) throw new Refusal(`must be a list of { name, expected, check }, got ${quoted(given)}`);
    const faults = given.flatMap(faultsOfCondition);
    if (faults.length > 0) throw new Refusal(faults);
    return given as PostCondition[];
  },
  takes: 'list of `{ name, expected, check, severity? }`; in a module alone',
  json: {},
};

/** Made by the user, perhaps by a class of theirs: checked, and handed on as it is. */
function faultsOfCondition(condition: unknown, index: number): Fault[] {
  if (typeof condition !== 'object' || condition === null) {
    return [{ where: String(index), problem: `must be { name, expected, check }, got ${quoted(condition)}` }];
  }
  const { name, severity, expected, check } = condition as Partial<Record<string, unknown>>;
  const problems = {
    name: mustBe(typeof name === 'string' && name !== '', 'a string', name),
    expected: mustBe(typeof expected === 'string' && expected !== '', 'a string', expected),
    check: mustBe(typeof check === 'function', 'a function', check),
    severity: mustBe([undefined, 'fail', 'warn'].includes(severity as string), '"fail" or "warn"', severity),
  };
  return Object.entries(problems).flatMap(([key, problem]) =>
    problem === undefined ? [] : [{ where: `${index}.${key}`, problem }],
  );
}

export const SMOKE_FUNCTIONS = {
  eventSource: {
    says: 'function that gives the events',
    takes: eventSource,
    unsetSays: 'those of a dry run',
    config: true,
  },
  postConditions: { says: 'checks of your own', takes: postConditions, unset: [], unsetSays: 'none', config: true },
} as const satisfies Options;
