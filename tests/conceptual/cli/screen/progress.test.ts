import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hasColor, isDrawable } from '../../../../dist/cli/screen/color.js';
import { createLog } from '../../../../dist/cli/screen/log.js';
import { createProgress, type ProgressData } from '../../../../dist/cli/screen/progress.js';

/** A terminal that understands what is written to it: line feeds, returns, and the sequences that are used. */
class Terminal {
  readonly isTTY = true;
  columns = 100;
  raw = '';
  rows: string[] = [''];
  row = 0;
  column = 0;

  write(text: string): boolean {
    this.raw += text;
    // eslint-disable-next-line no-control-regex
    for (const [token] of text.matchAll(/\x1B\[[?\d;]*[A-Za-z]|\x1B[78]|[^]/g)) this.#apply(token);
    return true;
  }

  #apply(token: string): void {
    const line = this.rows[this.row] ?? '';
    if (token === '\n') {
      this.row++;
      this.column = 0;
    } else if (token === '\r') this.column = 0;
    else if (token.endsWith('G')) this.column = Number(token.slice(2, -1)) - 1;
    else if (token === '\x1B[2K') this.rows[this.row] = '';
    else if (/^\x1B\[0?K$/.test(token)) this.rows[this.row] = line.slice(0, this.column);
    else if (/^\x1B\[\d*m$/.test(token)) return;
    else if (token.startsWith('\x1B')) throw new Error(`not expected: ${JSON.stringify(token)}`);
    else {
      this.rows[this.row] = line.slice(0, this.column).padEnd(this.column) + token + line.slice(this.column + 1);
      this.column++;
    }
    this.rows[this.row] ??= '';
  }
}

const data: ProgressData = {
  done: 400,
  failed: 3,
  total: 1_000,
  totalKnown: true,
  running: 8,
  ratePerSecond: 123.4,
  silentMs: undefined,
  busy: 2,
  mode: 'running',
};

const words = '400/1,000, 3 failed, 123/s, ETA 5s, 8 running on 2 threads';

// The bar is drawn by a timer; its clock is turned by hand.
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm');
  vi.stubEnv('NO_COLOR', '');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function shownOn(terminal: Terminal, color = false) {
  return createProgress({ stream: terminal, quiet: false, color });
}

describe('on a terminal', () => {
  test('the bar fills with what is done, and is gone at the end', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update(data);
    expect(terminal.rows).toEqual([`[${'='.repeat(12)}${' '.repeat(18)}] ${words}`]);
    progress.update({ ...data, done: 1_000, running: 1, busy: 1, failed: 0 });
    vi.advanceTimersByTime(200);
    expect(terminal.rows).toEqual([`[${'='.repeat(30)}] 1,000/1,000, 123/s, 1 running on 1 thread`]);
    progress.stop();
    progress.stop();
    expect(terminal.rows).toEqual(['']);
  });

  test('a source that is still being read has no bar, as its end is not known', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update({ ...data, totalKnown: false, failed: 0, running: 0, ratePerSecond: 0 });
    expect(terminal.rows).toEqual(['400 of 1,000 so far']);
    progress.stop();
  });

  test('a run of nothing is full', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update({ ...data, done: 0, total: 0, failed: 0, running: 0, ratePerSecond: 0 });
    expect(terminal.rows).toEqual([`[${'='.repeat(30)}] 0/0`]);
    progress.stop();
  });

  test('lines printed under way stand above the bar, whole and in order', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.print('before\n');
    progress.update(data);
    for (let line = 1; line <= 3; line++) {
      progress.print(`line ${line}\n`);
      vi.advanceTimersByTime(250);
    }
    expect(terminal.rows.slice(0, 4)).toEqual(['before', 'line 1', 'line 2', 'line 3']);
    expect(terminal.rows[4]).toContain(words);
    progress.stop();
    progress.print('after\n');
    expect(terminal.rows).toEqual(['before', 'line 1', 'line 2', 'line 3', 'after', '']);
  });

  test('the bar comes back after something else has written over it', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update(data);
    terminal.write('a task wrote this\n');
    vi.advanceTimersByTime(250);
    expect(terminal.rows[1]).toContain(words);
    progress.stop();
    expect(terminal.rows[0]).toContain('a task wrote this');
  });

  test('the cursor is never hidden, moved to another line, or wrapping turned off', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal, true);
    progress.update(data);
    vi.advanceTimersByTime(500);
    progress.print('line\n');
    progress.stop();
    expect(terminal.raw).not.toMatch(/\x1B\[\?|\x1B[78]|\x1B\[\d*[ABHJ]/);
  });

  test.each([
    [5, '400/'],
    [20, '400/1,000, 3 failed'],
    [50, '400/1,000, 3 failed, 123/s, ETA 5s'],
    [62, words],
    [65, words],
    [70, words],
    [80, words],
  ])('the line fits in %d columns with what matters most, with colours or without', async (columns, shown) => {
    for (const color of [false, true]) {
      const terminal = new Terminal();
      terminal.columns = columns;
      const progress = await shownOn(terminal, color);
      progress.update(data);
      expect(terminal.rows[0]!.length).toBeLessThan(columns);
      expect(terminal.rows[0]).toMatch(new RegExp(`^(\\[=* *\\] )?${shown}$`));
      progress.stop();
    }
  });

  test('a terminal that does not know its width is taken for one of 80 columns', async () => {
    const terminal = new Terminal();
    terminal.columns = 0;
    const progress = await shownOn(terminal);
    progress.update(data);
    expect(terminal.rows[0]).toMatch(new RegExp(`\\] ${words}$`));
    progress.stop();
  });

  test('a run that is paused or ends says so, and promises no end', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update({ ...data, mode: 'paused' });
    expect(terminal.rows[0]).toContain('] 400/1,000, 3 failed, paused, 123/s, 8 running on 2 threads');
    progress.stop();
  });

  test('where nothing ends any more, that is said, and no end is promised', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    progress.update({ ...data, silentMs: 41_700 });
    expect(terminal.rows[0]).toContain('] 400/1,000, 3 failed, no outcome for 41s, 8 running on 2 threads');
    progress.stop();
  });

  test('the cursor waits at the start of the bar: what a terminal echoes there does not wrap, and goes with the next frame', async () => {
    const terminal = new Terminal();
    terminal.columns = 80;
    const progress = await shownOn(terminal, true);
    progress.update(data);
    for (let frame = 0; frame < 3; frame++) {
      expect([terminal.row, terminal.column]).toEqual([0, 0]);
      terminal.write('^C');
      vi.advanceTimersByTime(250);
      expect(terminal.rows[0]).toMatch(new RegExp(`^\\[=* *\\] ${words}$`));
    }
    progress.update({ ...data, done: 1, failed: 0, running: 0, ratePerSecond: 0 });
    vi.advanceTimersByTime(250);
    expect(terminal.rows[0]).toMatch(/\] 1\/1,000$/);
    progress.stop();
    expect(terminal.rows).toEqual(['']);
  });

  test('there is no bar where it would be in the way', async () => {
    const terminal = new Terminal();
    const progress = await createProgress({ stream: terminal, quiet: false, color: true, plain: true });
    progress.update(data);
    progress.print('a line\n');
    expect(terminal.raw).toBe('a line\n');
  });

  test('failures are red, unless colours are not wanted', async () => {
    const drawn = async (color: boolean) => {
      const terminal = new Terminal();
      const progress = await shownOn(terminal, color);
      progress.update(data);
      progress.stop();
      return terminal.raw;
    };
    expect(await drawn(true)).toContain('\x1B[31m3 failed\x1B[0m');
    expect(await drawn(false)).not.toMatch(/\x1B\[\d+m/);
    vi.stubEnv('NO_COLOR', '1');
    expect(await drawn(true)).not.toMatch(/\x1B\[\d+m/);
  });

  test('the bar is taken away when the process exits, and nothing is left behind when it was before', async () => {
    const terminal = new Terminal();
    const listeners = process.listenerCount('exit');
    const progress = await shownOn(terminal);
    progress.update(data);
    const added = process.listeners('exit').at(-1)!;
    expect(process.listenerCount('exit')).toBe(listeners + 1);
    added(0);
    expect(terminal.rows).toEqual(['']);
    expect(process.listenerCount('exit')).toBe(listeners);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });
});

describe('elsewhere', () => {
  const file = () => {
    const lines: string[] = [];
    return { lines, write: (text: string) => lines.push(text) };
  };

  test('a line is written every five seconds at most, and only if something changed', async () => {
    const stream = file();
    let clock = 0;
    const progress = await createProgress({ stream, quiet: false, color: true, now: () => clock });
    const at = (time: number, change: Partial<ProgressData>) => {
      clock = time;
      progress.update({ ...data, ...change });
    };
    at(4_999, { done: 1 });
    at(5_000, { done: 2, ratePerSecond: 0 });
    at(9_999, { done: 3 });
    at(11_000, { done: 2, ratePerSecond: 0 });
    at(11_001, { done: 4, ratePerSecond: 0 });
    expect(stream.lines).toEqual([
      '2/1,000, 3 failed, 8 running on 2 threads\n',
      '4/1,000, 3 failed, 8 running on 2 threads\n',
    ]);
    progress.stop();
  });

  test('its clock is that of the process where none is given', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const stream = file();
    const progress = await createProgress({ stream, quiet: false, color: false });
    progress.update(data);
    vi.advanceTimersByTime(5_000);
    progress.update(data);
    expect(stream.lines).toEqual([`${words}\n`]);
  });

  test('a dumb terminal is written to like a file', async () => {
    vi.stubEnv('TERM', 'dumb');
    const terminal = new Terminal();
    const progress = await shownOn(terminal, true);
    progress.update(data);
    progress.print('a line\n');
    expect(terminal.raw).toBe('a line\n');
    expect(isDrawable(terminal)).toBe(false);
    expect(hasColor(terminal, true)).toBe(false);
  });

  test('--quiet shows no progress anywhere, and prints what must be printed', async () => {
    for (const stream of [new Terminal(), { ...file(), raw: '' }]) {
      const written: string[] = [];
      let clock = 0;
      const progress = await createProgress({
        stream: { isTTY: 'isTTY' in stream, write: (text) => written.push(text) },
        quiet: true,
        color: true,
        now: () => clock,
      });
      clock = 60_000;
      progress.update(data);
      progress.print('the queue is gone\n');
      progress.stop();
      expect(written).toEqual(['the queue is gone\n']);
    }
  });
});

describe('the log', () => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  beforeEach(() => void lines.splice(0));

  test('is JSON lines where nobody watches, each written when the call returns', () => {
    const log = createLog({ stream, quiet: false, color: true });
    log.info({ task: 'a' }, 'retried');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      pid: process.pid,
      task: 'a',
      msg: 'retried',
    });
    log.warn('words alone');
    log.error({ err: new TypeError('boom') }, 'gone');
    expect(JSON.parse(lines[2]!)).toMatchObject({ level: 'error', err: { type: 'TypeError', message: 'boom' } });
    expect(lines.map((line) => line.endsWith('\n'))).toEqual([true, true, true]);
  });

  test('is words for people on a terminal, coloured only if that is wanted', () => {
    const said = (color: boolean) => {
      const terminal = new Terminal();
      createLog({ stream: terminal, quiet: false, color }).warn({ task: 'a' }, 'retried');
      return terminal;
    };
    expect(said(false).raw).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: retried \{"task":"a"\}\n$/);
    expect(said(true).raw).toContain('\x1B[33m');
    expect(said(true).rows[0]).toMatch(/WARN: retried/);
  });

  test('keeps clear of the bar', async () => {
    const terminal = new Terminal();
    const progress = await shownOn(terminal);
    const log = createLog({ stream: terminal, quiet: false, color: false, print: progress.print });
    progress.update(data);
    log.info('one');
    log.info('two');
    expect(terminal.rows[0]).toMatch(/INFO: one$/);
    expect(terminal.rows[1]).toMatch(/INFO: two$/);
    expect(terminal.rows[2]).toContain(words);
    progress.stop();
  });

  test('is errors alone with --quiet', () => {
    const log = createLog({ stream, quiet: true, color: true });
    log.info('one');
    log.warn('two');
    expect(lines).toEqual([]);
    log.error('three');
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'error', msg: 'three' });
  });
});
