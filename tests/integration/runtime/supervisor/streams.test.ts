import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { echoes, ndjson, RunPlace, type RunProcess } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

/** Lines of NDJSON. Throws when one is none: cut off, or two in one. */
function parsed(text: string): { id: string; result?: unknown }[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
}

async function killExecutor(run: RunProcess): Promise<void> {
  const executor = await run.executor();
  process.kill(executor, 'SIGKILL');
  await run.executor(executor);
}

describe('standard input survives the executor', () => {
  test('--lines: what was read before its death and what comes after it, each line once', async () => {
    const place = new RunPlace();
    const run = place.start('--lines', '--handler', 'echo');
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    for (let sent = 0; sent < lines.length; sent += 100) {
      run.stdin.write(`${lines.slice(sent, sent + 100).join('\n')}\n`);
      await place.recorded(sent + 1);
      await killExecutor(run);
    }
    run.stdin.end();
    expect(await run.ended).toBe(0);
    const outcomes = await place.outcomes();
    const told = outcomes.map(({ result }) => JSON.parse(String(result)) as string);
    expect(told.toSorted()).toEqual(lines.toSorted());
  });

  test('--lines: a line that was cut in two by the death is whole', async () => {
    const place = new RunPlace();
    const run = place.start('--lines', '--handler', 'echo');
    run.stdin.write('first\nsec');
    await place.recorded(1);
    await killExecutor(run);
    run.stdin.end('ond\n');
    expect(await run.ended).toBe(0);
    expect(new Set((await place.outcomes()).map(({ result }) => result))).toEqual(new Set(['"first"', '"second"']));
  });

  test('--tasks -: killed while it still reads, it takes every task once', async () => {
    const place = new RunPlace();
    const run = place.start('--tasks', '-');
    run.stdin.write(ndjson(echoes(50, 'early')));
    await waitFor('the input to be kept', () => existsSync(join(place.runDir, 'input.partial')));
    await killExecutor(run);
    run.stdin.end(ndjson(echoes(50, 'late')));
    expect(await run.ended).toBe(0);
    const ids = (await place.outcomes()).map(({ id }) => id);
    expect(ids.toSorted()).toEqual([...echoes(50, 'early'), ...echoes(50, 'late')].map(({ id }) => id).toSorted());
  });

  test('what was kept of it is removed at the end', async () => {
    const place = new RunPlace();
    const run = place.start('--lines', '--handler', 'echo');
    run.stdin.end('one\n');
    expect(await run.ended).toBe(0);
    expect(existsSync(join(place.runDir, 'input'))).toBe(false);
    expect(existsSync(join(place.runDir, 'input.partial'))).toBe(false);
  });
});

/** Three groups of tasks; the executor is killed after each of the first two. */
async function killedTwice(place: RunPlace, ...args: string[]): Promise<RunProcess> {
  const group = (n: number) => [...echoes(30, `group-${n}`), { id: `gate-${n}`, handler: 'hold', input: `go-${n}` }];
  const gateless = echoes(30, 'group-3');
  const run = place.start('--tasks', place.tasks([...group(1), ...group(2), ...gateless]), '--threads', '1', ...args);
  for (const n of [1, 2]) {
    await place.running(`gate-${n}`);
    await killExecutor(run);
    place.letGo(`go-${n}`);
  }
  expect(await run.ended).toBe(0);
  return run;
}

describe('results are complete across the deaths of executors', () => {
  test('--results <file> holds each outcome once, as recorded, in the order they were recorded', async () => {
    const place = new RunPlace();
    const file = place.path('results.ndjson');
    await killedTwice(place, '--results', file);
    const lines = parsed(readFileSync(file, 'utf8'));
    const outcomes = await place.outcomes();
    expect(outcomes).toHaveLength(92);
    expect(lines.map(({ id }) => id)).toEqual(outcomes.map(({ id }) => id));
    expect(lines.map(({ result }) => JSON.stringify(result))).toEqual(outcomes.map(({ result }) => result));
  });

  test('--results - prints every outcome once, and whole', async () => {
    const place = new RunPlace();
    const run = await killedTwice(place, '--results', '-');
    const outcomes = await place.outcomes();
    expect(parsed(run.stdout).map(({ id }) => id)).toEqual(outcomes.map(({ id }) => id));
  });

  test('the summary counts all, whoever ran them, and the restarts', async () => {
    const place = new RunPlace();
    const run = await killedTwice(place, '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ counts: { done: 92 }, before: 0, restarts: 2 });
  });
});
