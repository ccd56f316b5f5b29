/** `runtime rm` and `runtime prune`: what goes, and what never does. */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lines, place, started, type Place } from '../../../support/command.js';

const runDir = ({ dir }: Place, id: string) => join(dir, '.runtime/runs', id);

async function finished(here: Place, id: string, handler = 'default'): Promise<void> {
  await here.runtime(['run', 'work.mjs', '--lines', '--handler', handler, '--run-id', id], { input: lines(4) });
}

/** A run of four tasks, two of which run until "open" is there. */
async function going(here: Place, id: string) {
  const flags = ['--lines', '--handler', 'gate', '--threads', '2', '--run-id', id];
  const command = here.start(['run', 'work.mjs', ...flags], { input: lines(4) });
  await here.until(id, (status) => started(status) === 2);
  return { command };
}

/** As if nobody had written to it for so many days. */
function age(here: Place, id: string, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  for (const name of readdirSync(runDir(here, id))) utimesSync(join(runDir(here, id), name), then, then);
}

describe('rm', () => {
  test('removes runs that ended well, names what it removed, and the same id begins anew', async () => {
    const here = place();
    await finished(here, 'a');
    await finished(here, 'b');
    const looked = await here.runtime(['rm', 'a', 'b', '--dry-run', '--json']);
    expect(JSON.parse(looked.stdout)).toMatchObject({
      schema: 1,
      dryRun: true,
      removed: [
        { runId: 'a', counts: { done: 4 }, paths: [runDir(here, 'a')] },
        { runId: 'b', paths: [runDir(here, 'b')] },
      ],
    });
    expect(existsSync(runDir(here, 'a'))).toBe(true);
    const { exitCode, stdout, stderr } = await here.runtime(['rm', 'a', 'b', 'a']);
    expect(stdout).toMatch(/^removed {2}a {2}4 done {2}\S+ {2}.* ago {2}.*runs\/a\nremoved {2}b .*\n$/);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(readdirSync(join(here.dir, '.runtime/runs'))).toEqual([]);
    expect(readdirSync(join(here.dir, '.runtime/locks'))).toEqual([]);
    await finished(here, 'a');
    expect((await here.status('a')).counts).toMatchObject({ done: 4 });
  });

  test('names every reason of every run, and removes none of them', async () => {
    const here = place();
    await finished(here, 'fine');
    await finished(here, 'odd', 'odd');
    here.write('.runtime/runs/odd/notes.txt', 'mine');
    const { command } = await going(here, 'on');
    const { exitCode, stdout, stderr } = await here.runtime(['rm', 'fine', 'odd', 'on', 'fin']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('runtime: nothing was removed:\n');
    expect(stderr).toContain('  odd: 2 tasks did not end done (2 failed)\n');
    expect(stderr).toContain('  odd: holds files that are not ours: notes.txt\n');
    expect(stderr).toContain(`  on: is held by ${command.pid}@`);
    expect(stderr).toContain('  on: 4 tasks have not ended\n');
    expect(stderr).toMatch(/^ {2}fin: there is no run "fin" .* did you mean "fine"\?$/m);
    expect(stderr).toContain('To remove it all the same: runtime rm odd on --force\n');
    expect(existsSync(runDir(here, 'fine'))).toBe(true);
  });

  test('never removes a run that goes on, whatever is asked for, nor takes its lock', async () => {
    const here = place();
    const { command } = await going(here, 'on');
    const { exitCode, stderr } = await here.runtime(['rm', 'on', '--force']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`  on: is held by ${command.pid}@`);
    expect(stderr).toContain('runtime drain <run-id>');
    here.write('open', '');
    expect((await command).exitCode).toBe(0);
  });

  test('with --force removes what has not ended, what failed, and what cannot be read', async () => {
    const here = place();
    await finished(here, 'odd', 'odd');
    await finished(here, 'torn');
    writeFileSync(join(runDir(here, 'torn'), 'queue.db'), 'no queue at all, and long enough to be none');
    const refused = await here.runtime(['rm', 'torn']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('  torn: what it holds is not known: ');
    expect((await here.runtime(['rm', 'odd', 'torn', '--force'])).exitCode).toBe(0);
    expect(readdirSync(join(here.dir, '.runtime/runs'))).toEqual([]);
  });

  test('takes a folder for none of ours, whatever its name', async () => {
    const here = place();
    await finished(here, 'a');
    mkdirSync(join(runDir(here, 'a'), 'trace.log'));
    const { exitCode, stderr } = await here.runtime(['rm', 'a']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('files that are not ours: trace.log');
  });

  test('follows no link: not in the place of a run, and not within one', async () => {
    const here = place();
    mkdirSync(join(here.dir, 'precious'));
    here.write('precious/file', 'kept');
    await finished(here, 'a');
    symlinkSync(join(here.dir, 'precious'), runDir(here, 'linked'));
    symlinkSync(join(here.dir, 'precious'), join(runDir(here, 'a'), 'within'));
    const { exitCode, stderr } = await here.runtime(['rm', 'linked', '--force']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('a link leads out of it');
    expect((await here.runtime(['rm', 'a', '--force'])).exitCode).toBe(0);
    expect(existsSync(runDir(here, 'a'))).toBe(false);
    expect(readdirSync(join(here.dir, 'precious'))).toEqual(['file']);
    here.write('.runtime/runs/plain', 'kept');
    symlinkSync(join(here.dir, 'precious/file'), join(here.dir, '.runtime/locks/locked.lock'));
    const odd = await here.runtime(['rm', 'plain', 'locked', '--force']);
    expect(odd.exitCode).toBe(1);
    expect(odd.stderr).toMatch(/^ {2}plain: .*: it is a file$/m);
    expect(odd.stderr).toMatch(/^ {2}locked: .*symbolic link/m);
  });

  test('is told every id that is none; an unknown run alone is refused as everywhere', async () => {
    const here = place();
    const { exitCode, stderr } = await here.runtime(['rm', '../x', 'a b']);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(/"\.\.\/x": must be 1 to 128 letters.*\n {2}"a b": must be/);
    const unknown = await here.runtime(['rm', 'nope']);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain('there is no run "nope"');
  });
});

describe('prune', () => {
  test('removes what ended well and is old, and says of the rest why it is kept', async () => {
    const here = place();
    for (const id of ['old', 'new']) await finished(here, id);
    await finished(here, 'odd', 'odd');
    const { command } = await going(here, 'on');
    for (const id of ['old', 'odd', 'on']) age(here, id, 31);
    const looked = JSON.parse(
      (await here.runtime(['prune', '--older', '30d', '--dry-run', '--json'])).stdout,
    ) as object;
    expect(looked).toMatchObject({
      schema: 1,
      dryRun: true,
      removed: [{ runId: 'old' }],
      kept: [{ runId: 'new', reasons: ['recent'] }, { runId: 'odd', reasons: ['not-done'] }, { runId: 'on' }],
      failed: [],
    });
    expect(existsSync(runDir(here, 'old'))).toBe(true);
    const { exitCode, stdout, stderr } = await here.runtime(['prune', '--older', '30d']);
    expect(stdout).toMatch(/^removed {2}old {2}4 done .*31d ago .*\n$/);
    expect(stderr).toBe(
      'kept 3 runs: 1 written to since, 1 with tasks that did not end done (--not-done), 1 going on\n',
    );
    expect(exitCode).toBe(0);
    expect((await here.runtime(['prune', '--older', '30d', '--not-done'])).stdout).toMatch(/^removed {2}odd /);
    expect(readdirSync(join(here.dir, '.runtime/runs')).sort()).toEqual(['new', 'on']);
    here.write('open', '');
    expect((await command).exitCode).toBe(0);
  });

  test('must be told how old, in a unit', async () => {
    const here = place();
    for (const [flags, problem] of [
      [[], '--older: is missing'],
      [['--older', '30'], '--older: "30" has no unit'],
    ] as const) {
      const { exitCode, stderr } = await here.runtime(['prune', ...flags]);
      expect(exitCode).toBe(64);
      expect(stderr).toContain(problem);
      expect(stderr).toContain('Such as: runtime prune --older 30d --dry-run');
    }
  });

  test('takes away what a removal left that was ended in the middle', async () => {
    const here = place();
    await finished(here, 'a');
    mkdirSync(join(here.dir, '.runtime/runs/.removed-x-1'));
    here.write('.runtime/runs/.removed-x-1/queue.db', 'half');
    expect((await here.runtime(['prune', '--older', '1d'])).exitCode).toBe(0);
    expect(readdirSync(join(here.dir, '.runtime/runs'))).toEqual(['a']);
    rmSync(runDir(here, 'a'), { recursive: true });
    expect((await here.runtime(['prune', '--older', '1d'])).stderr).toBe('there are no runs\n');
  });
});
