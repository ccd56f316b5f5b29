/** `runtime run --preview`: what the same command without it would run. Takes no lock, writes nothing, calls no handler. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../../../base/errors.js';
import { printable, printableLines } from '../../../base/printable.js';
import { formatCount } from '../../../base/units.js';
import { lockOf, openRecorded } from '../../../runs/run-files.js';
import { compare } from '../../../runtime/identity.js';
import { versionOf } from '../../../runtime/pool/thread/version.js';
import type { RecordReader } from '../../../runtime/queue/contract.js';
import { traitsOf } from '../../../runtime/queue/open-queue.js';
import { loadHandlers } from '../../../runtime/thread/handler-module.js';
import { guarded } from '../../../system/import-guarded.js';
import { StateDir } from '../../../system/state-dir.js';
import { EXIT } from '../../exit-code.js';
import { taskName } from '../../screen/task-name.js';
import { handlerFor, openSource, streamOf } from '../input/feed.js';
import { replayed } from '../input/replay.js';
import type { SourceTask, TaskSource } from '../input/source.js';
import { needsSpool } from '../input/spool.js';
import type { RunFlags } from '../run-flags.js';
import { leftOutText } from '../job/summary.js';
import { RUNS, verdictOf, type Verdict } from './verdict.js';

/** As long as a config file has. */
const LOAD_DEADLINE_MS = 10_000;

export async function preview(flags: RunFlags): Promise<number> {
  const { dir, runId } = flags.executor;
  const stateDir = new StateDir(dir);
  const handlers = await handlersOf(flags.executor.handlers);
  const lock = lockOf(stateDir, runId);
  const holder = (lock.isLocked() && lock.holder()?.executorId) || null;
  const goesOn = !flags.fresh && traitsOf(flags.executor).outlivesProcess;
  const reader = goesOn ? await openRecorded(stateDir, runId) : undefined;
  try {
    if (reader !== undefined) {
      const handler = handlerFor(flags, handlers);
      const version = versionOf(flags.executor.handlers);
      await compare(reader, { runId, module: flags.executor.handlers, handler, source: flags.source.kind, version });
    }
    const source = await open(flags, handlers);
    const tally = new Map<Verdict, number>();
    if (flags.json) process.stdout.write(`{"schema":1,"runId":${JSON.stringify(runId)},"tasks":[`);
    let waiting = 0;
    for await (const { task, verdict, because } of judged(source, reader, flags, holder !== null)) {
      const isFirst = tally.size === 0;
      tally.set(verdict, (tally.get(verdict) ?? 0) + 1);
      if (verdict === 'continues' || verdict === 'runs') waiting++;
      const line = flags.json
        ? `${isFirst ? '' : ','}${documentOf(task, verdict, because)}`
        : textOf(task, verdict, because);
      if (!process.stdout.write(line)) await once(process.stdout, 'drain');
    }
    const counts = await reader?.counts();
    const left = counts === undefined ? 0 : counts.queued + counts.delayed + counts.running;
    const outcome = { counts: Object.fromEntries(tally), holder, notInInput: Math.max(0, left - waiting) };
    if (flags.json) process.stdout.write(`],${JSON.stringify(outcome).slice(1)}\n`);
    if (!flags.quiet) process.stderr.write(summaryOf(flags, source, outcome));
    return tally.has('conflict') ? EXIT.usage : EXIT.ok;
  } finally {
    await reader?.close();
  }
}

/** Nothing of the module is called but its own top level, as its exports are not known before. */
async function handlersOf(module: string): Promise<ReadonlySet<string>> {
  try {
    const { handlers } = await guarded(() => loadHandlers(module), LOAD_DEADLINE_MS);
    return new Set(handlers.keys());
  } catch (error) {
    const why = printable(String((error as Error)?.message ?? error));
    throw new HoldfastError('ERR_HANDLER_MODULE', `cannot load ${fileURLToPath(module)}: ${why}`, { cause: error });
  }
}

async function open(flags: RunFlags, handlers: ReadonlySet<string>): Promise<TaskSource> {
  const { signal } = new AbortController();
  if (!(await needsSpool(flags.source))) return openSource(flags, handlers, { kept: undefined, signal });
  const stream = streamOf(flags.source);
  // Lines are read as they come; a task file is read twice.
  if (flags.source.kind === 'lines') return openSource(flags, handlers, { kept: () => stream, signal });
  return openSource(flags, handlers, { kept: await replayed(stream), signal });
}

async function* judged(source: TaskSource, reader: RecordReader | undefined, flags: RunFlags, isHeld: boolean) {
  /** What each id stands for, as the first line has it. */
  const seen = new Map<string, string>();
  for await (const task of source.tasks) {
    const { id, handler, input } = task;
    const what = createHash('sha1').update(handler).update('\0').update(input).digest('base64');
    const before = id === undefined ? undefined : seen.get(id);
    if (before !== undefined) {
      yield before === what
        ? { task, verdict: 'repeated' as const, because: undefined }
        : { task, verdict: 'conflict' as const, because: 'an earlier line gives its id to another handler or input' };
      continue;
    }
    if (id !== undefined) seen.set(id, what);
    const standing = id === undefined ? undefined : await reader?.standing(id, handler, input);
    const { verdict, because } = verdictOf(standing, { retryFailed: flags.retryFailed, isHeld });
    yield { task, verdict, because };
  }
}

function textOf({ id, input }: SourceTask, verdict: Verdict, because: string | undefined): string {
  const name = id === undefined ? printable(String(input), 60) : taskName(id, input);
  return `${verdict.padEnd(10)} ${name}${because === undefined ? '' : ` (${because})`}\n`;
}

function documentOf({ id, handler, line, input }: SourceTask, verdict: Verdict, because: string | undefined): string {
  return printableLines(
    JSON.stringify({
      id,
      handler,
      ...(line !== undefined && { line }),
      ...(typeof input === 'string' && { input: JSON.parse(input) as unknown }),
      runs: RUNS.has(verdict),
      why: verdict,
      ...(because !== undefined && { because }),
    }),
  );
}

const WORDS: Readonly<Record<Verdict, string>> = {
  new: 'new',
  continues: 'left by an earlier start',
  retry: 'tried again',
  done: 'already done',
  ended: 'ended otherwise (--retry-failed runs them again)',
  runs: 'running now',
  repeated: 'twice in the input',
  conflict: 'in conflict',
};

interface Previewed {
  counts: Partial<Record<Verdict, number>>;
  holder: string | null;
  notInInput: number;
}

function summaryOf(flags: RunFlags, source: TaskSource, { counts, holder, notInInput }: Previewed): string {
  const told = (runs: boolean) =>
    (Object.entries(counts) as [Verdict, number][])
      .filter(([verdict]) => RUNS.has(verdict) === runs)
      .map(([verdict, count]) => `${formatCount(count)} ${WORDS[verdict]}`)
      .join(', ');
  const { leftOut = [] } = source;
  const queued = `${formatCount(notInInput)} queued that ${notInInput === 1 ? 'is' : 'are'} not in this input`;
  const kept = flags.keepQueued ? `${queued} (--keep-queued)` : '';
  const lines = [
    `would run  ${[told(true), notInInput > 0 ? kept : ''].filter(Boolean).join(', ') || 'nothing'}`,
    told(false) && `not run    ${told(false)}`,
    notInInput > 0 && !flags.keepQueued && `left       ${queued} (--keep-queued runs them)`,
    leftOut.length > 0 && leftOutText(leftOut),
    flags.fresh && 'fresh      what is recorded of the run would be forgotten',
    holder !== null &&
      `held       run ${flags.executor.runId} is going on, by ${printable(holder)}: it would be refused without --wait`,
    counts.conflict !== undefined && 'refused    tasks are in conflict: the run would be refused',
  ];
  return lines
    .filter(Boolean)
    .map((line) => `${String(line)}\n`)
    .join('');
}
