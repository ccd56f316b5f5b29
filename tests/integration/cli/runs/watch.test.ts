/** `runtime status --watch`, on a terminal and into a pipe. */
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lines, MAIN, parsed, place, started, type Place } from '../../../support/command.js';
import { waitFor } from '../../../support/wait-for.js';

async function gated(here: Place) {
  const flags = ['--lines', '--handler', 'gate', '--threads', '2', '--run-id', 'gated'];
  const command = here.start(['run', 'work.mjs', ...flags], { input: lines(10) });
  await here.until('gated', (status) => started(status) === 2);
  return { command };
}

/** The command on a pseudo-terminal of `script`. */
function onTerminal({ dir }: Place, args: string) {
  const screen = execa('script', ['-qefc', `stty cols 60 rows 20; ${process.execPath} ${MAIN} ${args}`, '/dev/null'], {
    ...{ cwd: dir, reject: false, buffer: false },
    env: { TERM: 'xterm', NO_COLOR: '', RUNTIME_DIR: '', SHELL: '/bin/sh' },
  });
  let raw = '';
  screen.stdout.on('data', (chunk: Buffer) => (raw += chunk.toString()));
  onTestFinished(() => void screen.kill('SIGKILL'));
  const shows = (what: RegExp) => waitFor(`${what} on the terminal`, () => what.test(raw));
  return { screen, shows, raw: () => raw };
}

describe.skipIf(process.platform !== 'linux')('on a terminal', () => {
  test('is redrawn as the run goes on; Ctrl-C gives the terminal back', async () => {
    const here = place();
    const { command } = await gated(here);
    const { screen, shows, raw } = onTerminal(here, 'status gated --watch 100ms --no-color');
    await shows(/\u001b\[\?1049h[^]*0 of 10 ended \(0%\)/);
    await shows(/thread 2 .*gate/);
    here.write('open', '');
    await command;
    await shows(/\[=+\] 10 of 10 ended \(100%\)/);
    await shows(/idle/);
    screen.stdin.write('\u0003');
    expect((await screen).exitCode).toBe(130);
    const [drawn, ...after] = raw().split('\u001b[?25h\u001b[?1049l');
    expect(drawn).toContain('100%');
    expect(after).toHaveLength(1);
    expect(after[0]).not.toContain('\u001b');
  });

  test('shows all runs, those that go on first', async () => {
    const here = place();
    await here.runtime(['run', 'work.mjs', '--lines', '--handler', 'default', '--run-id', 'a'], { input: lines(3) });
    const { command } = await gated(here);
    const { shows } = onTerminal(here, 'status --watch --no-color');
    await shows(/gated {2}running {2}0%[^\n]*\na +idle +100%[^\n]*3 done/);
    here.write('open', '');
    await command;
  });
});

describe('into a pipe', () => {
  test('is a line for each change, until a signal', async () => {
    const here = place();
    const { command } = await gated(here);
    const watching = here.start(['status', '--watch', 'gated']);
    let seen = '';
    watching.stdout.on('data', (text: Buffer) => (seen += String(text)));
    await waitFor('the first line', () => /^\S+Z {2}gated {2}running {2}0% .*8 queued, 2 running\n$/.test(seen));
    here.write('open', '');
    await command;
    await waitFor('the last line', () => /gated {2}idle {2}100% .*10 done\n$/.test(seen));
    watching.kill('SIGINT');
    expect((await watching).exitCode).toBe(130);
    expect(seen).not.toContain('\u001b');
  });

  test('with --json is a view a line', async () => {
    const here = place();
    await here.runtime(['run', 'work.mjs', '--lines', '--handler', 'default', '--run-id', 'a'], { input: lines(3) });
    const watching = here.start(['status', '--watch', '100ms', '--json']);
    let seen = '';
    watching.stdout.on('data', (text: Buffer) => (seen += String(text)));
    await waitFor('two views', () => seen.split('\n').length > 2);
    watching.kill('SIGTERM');
    expect((await watching).exitCode).toBe(143);
    expect(parsed(seen.slice(0, seen.lastIndexOf('\n')))[0]).toMatchObject({
      schema: 1,
      runs: [{ runId: 'a', state: 'idle', tasks: { total: 3, ended: 3, notDone: 0 }, pace: null }],
    });
  });

  test('what is typed wrong is told all together', async () => {
    const here = place();
    const { exitCode, stderr } = await here.runtime(['status', 'a', '--watch', '1ms', '--probe', 'live']);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--probe and --watch: a probe is answered once\n  --watch: must be 100ms to');
    const unknown = await here.runtime(['status', '--watch', 'nope']);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain('there is no run "nope"');
  });
});
