/** Every option of `runtime run`, of the section `run` of a config file, and of `createExecutor`: a row each. */
import { formatDuration } from '../base/units.js';
import { COLOR, CONCURRENCY, CONFIG, DIR, DURABLE, THREADS } from './common-options.js';
import { group } from './group.js';
import { halt } from './halt-kind.js';
import { duration, httpAddress, memorySize, moduleFile, onOff, runId, starts, text, texts, whole } from './kinds.js';
import type { Options } from './option.js';

const BACKOFF = {
  base: {
    says: 'the longest wait before the first retry; it doubles with each further one',
    takes: duration(0),
    unset: '1s',
  },
  max: { says: 'the longest wait before any retry', takes: duration(0), unset: '1m' },
} as const satisfies Options;

/** In the order of the help. */
export const RUN_OPTIONS = {
  handlers: {
    says: 'JavaScript or TypeScript file that exports the handlers',
    takes: moduleFile,
    required: true,
    executor: true,
  },

  each: {
    says: 'a task for each file that matches; its input is the path',
    takes: text('must be a glob', 'glob', 'file'),
    flag: '--each <glob>',
    group: 'Tasks:',
  },
  exclude: {
    says: 'leave out what matches; may be repeated',
    takes: texts('must be a glob', 'glob'),
    unset: [],
    flag: '--exclude <glob>',
    repeats: true,
  },
  follow: {
    says: 'follow links to folders (default: only the one that --each names)',
    takes: onOff,
    unset: false,
    flag: '--follow',
  },
  tasks: {
    says: 'a task for each line of an NDJSON file, "-" for standard input',
    takes: text('must be a file, or "-" for standard input', 'file', 'file'),
    flag: '--tasks <file>',
  },
  lines: { says: 'a task for each line of standard input', takes: onOff, unset: false, flag: '--lines' },
  null: {
    says: 'with --lines: they end with NUL, as find -print0 writes them',
    takes: onOff,
    unset: false,
    flag: '--null',
  },
  bigIntegers: {
    says: 'whole numbers beyond 2^53-1 in a task file become BigInts; else they are refused',
    takes: onOff,
    unset: false,
    flag: '--big-integers',
    off: true,
    config: true,
  },
  handler: {
    says: 'the export that runs tasks that name none',
    takes: text('must be the name of an export', 'name'),
    unsetSays: 'the default or only export',
    flag: '--handler <export>',
    config: true,
  },
  timeout: {
    says: 'for one attempt at a task, such as 30s',
    takes: duration(1),
    unsetSays: 'none',
    flag: '--timeout <duration>',
    config: true,
    executor: true,
  },
  retries: {
    says: 'tries after the first one',
    takes: whole(0, 1000),
    unset: 0,
    flag: '--retries <n>',
    config: true,
    executor: true,
  },
  backoff: {
    says: 'how long a task that failed waits for its retry: a random time up to these, such as 1s,1m',
    takes: group(BACKOFF, {
      fromText: (text) => {
        const [base, ...rest] = text.split(',');
        return rest.length === 0 ? { base } : { base, max: rest.join(',') };
      },
      judge: ({ base, max }) =>
        base <= max ? undefined : `base (${formatDuration(base)}) is longer than max (${formatDuration(max)})`,
    }),
    unset: {},
    unsetSays: '1s,1m',
    flag: '--backoff <duration[,max]>',
    config: true,
    executor: true,
  },
  rate: {
    says: 'start no more tasks than so many in any such period, retries included: 50/s, 600/m, 5/10s',
    takes: starts,
    unsetSays: 'no limit',
    flag: '--rate <n/period>',
    config: true,
    executor: true,
  },
  delay: {
    says: 'wait so long from the start of a task to that of the next one, in whichever thread',
    takes: duration(0),
    unset: '0s',
    flag: '--delay <duration>',
    config: true,
    executor: true,
  },
  maxCrashes: {
    says: 'crashes after which a task is given up',
    takes: whole(1, 1000),
    unset: 3,
    flag: '--max-crashes <n>',
    config: true,
    executor: true,
  },

  runId: {
    says: 'names the run and its state on disk',
    takes: runId,
    required: true,
    unsetSays: 'the name of the module',
    flag: '--run-id <id>',
    group: 'The run:',
    executor: true,
  },
  fresh: {
    says: 'forget what the run has recorded, and start it over',
    takes: onOff,
    unset: false,
    flag: '--fresh',
  },
  retryFailed: {
    says: 'run tasks again that ended failed, crashed, timed-out or cancelled',
    takes: onOff,
    unset: false,
    flag: '--retry-failed',
  },
  keepQueued: {
    says: 'run what an earlier start left queued also where this input does not name it',
    takes: onOff,
    unset: false,
    flag: '--keep-queued',
  },
  preview: {
    says: 'show what would run, and why, and run nothing',
    takes: onOff,
    unset: false,
    flag: '--preview',
  },
  wait: {
    says: 'wait for another executor of the run to end',
    takes: duration(0),
    unsetSays: 'not at all',
    flag: '--wait <duration>',
  },
  halt: {
    says: 'end the run when so many tasks failed: soon,fail=3 lets what runs end, now,fail=10% interrupts it',
    takes: halt,
    unsetSays: 'never',
    flag: '--halt <when>',
    config: true,
  },
  dir: DIR,
  config: CONFIG,
  durable: DURABLE,
  supervise: {
    says: 'two processes: one starts the other again when it dies',
    takes: onOff,
    unset: true,
    flag: '--supervise',
    off: 'one process, for systemd, Kubernetes and the like',
    config: true,
  },
  http: {
    says: 'serve /livez, /readyz, /startupz and /metrics, on 127.0.0.1 unless a host is given',
    takes: httpAddress,
    flag: '--http <[host:]port>',
    config: true,
  },

  threads: { ...THREADS, group: 'Threads:' },
  concurrency: CONCURRENCY,
  memory: {
    says: 'limit of one thread, heap and external memory, such as 512MB',
    takes: memorySize,
    unsetSays: 'what Node sets',
    flag: '--memory <size>',
    config: true,
    executor: true,
  },
  memoryTotal: {
    says: 'limit of the whole process, as the system counts it, such as 4GB',
    takes: memorySize,
    unsetSays: 'none',
    flag: '--memory-total <size>',
    config: true,
    executor: true,
  },
  grace: {
    says: 'from the abort of a task to the end of its thread',
    takes: duration(0),
    unset: '2s',
    flag: '--grace <duration>',
    config: true,
    executor: true,
  },
  recycleAfterTasks: {
    says: 'replace a thread after so many tasks',
    takes: whole(1, Number.MAX_SAFE_INTEGER),
    unsetSays: 'never',
    flag: '--recycle-after-tasks <n>',
    config: true,
    executor: true,
  },
  recycleAboveMemory: {
    says: 'replace a thread that holds more than this between tasks',
    takes: memorySize,
    unsetSays: 'never',
    flag: '--recycle-above-memory <size>',
    config: true,
    executor: true,
  },
  stallAfter: {
    says: 'report where a task is that runs for so long',
    takes: duration(1),
    unset: '30s',
    flag: '--stall-after <duration>',
    config: true,
    executor: true,
  },
  steerable: {
    says: 'whether other processes of this user reach it through a socket: runtime status, pause and the others',
    takes: onOff,
    unset: false,
    executor: true,
  },
  failOnLeak: {
    says: 'exit with 1 when tasks leave async functions or open file streams behind in the threads',
    takes: onOff,
    unset: false,
    flag: '--fail-on-leak',
    off: true,
    config: true,
  },

  results: {
    says: 'write the outcomes of the run as NDJSON; "-": those of this command, to standard output',
    takes: text('must be a file, or "-" for standard output', 'file', 'file'),
    flag: '--results <file>',
    group: 'Output:',
  },
  json: { says: 'print the summary as JSON to standard output', takes: onOff, unset: false, flag: '--json' },
  quiet: { says: 'no progress, no summary; errors only', takes: onOff, unset: false, flag: '--quiet' },
  color: COLOR,
} as const satisfies Options;
