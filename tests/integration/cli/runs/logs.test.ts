/** `runtime logs`: what tasks printed, and whose it was. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lines, parsed, place, started, type Place } from '../../../support/command.js';
import { ndjson } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

const PRINTS = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
export const speak = (input, { attempt, log }) => {
  console.log('says ' + input);
  process.stderr.write('no ');
  process.stderr.write('end');
  log.info('noted', { input });
  if (input === 'again' && attempt === 1) throw new Error('once more');
};
export const steer = () => console.log('\\u001b[2Jcleared');
export const twice = async (input) => {
  console.log('before ' + input);
  while (!existsSync('open')) await sleep(5);
  console.log('after ' + input);
};
export const silent = () => {};
/** Its last words, and once they are heard, the end of its process. */
export const last = async () => {
  console.log('last words');
  while (!existsSync('.runtime/runs/prints/output.1.ndjson')) await sleep(5);
  process.kill(process.pid, 'SIGKILL');
};
`;

function printing(): Place {
  const here = place();
  here.write('prints.mjs', PRINTS);
  return here;
}

const task = (id: string, handler: string, more: object = {}) => ({ id, handler, input: id, ...more });

async function run(here: Place, tasks: object[], ...flags: string[]) {
  here.write('tasks.ndjson', ndjson(tasks));
  return here.runtime(['run', 'prints.mjs', '--tasks', 'tasks.ndjson', '--threads', '1', ...flags]);
}

const files = (here: Place) => readdirSync(join(here.dir, '.runtime/runs/prints'));

describe('logs', () => {
  test('shows what each attempt at each task printed and logged, with its number', async () => {
    const here = printing();
    await run(here, [task('a', 'speak'), task('again', 'speak', { retries: 1 })]);
    const all = await here.runtime(['logs', 'prints']);
    const said = (name: string, input: string) =>
      `${name} | says ${input}\n${name} | info: noted {"input":"${input}"}\n${name} | no end\n`;
    expect(all).toMatchObject({ exitCode: 0, stderr: '' });
    expect(all.stdout.split('\n').sort()).toEqual(
      (said('a', 'a') + said('again', 'again') + said('again (attempt 2)', 'again')).split('\n').sort(),
    );
    const one = await here.runtime(['logs', 'prints', 'again']);
    expect(one.stdout.split('\n').filter((line) => line === 'says again')).toHaveLength(2);
    expect(one.stdout).not.toContain('says a\n');
    expect(one.stderr).toBe('-- attempt 2 --\n');
    const documents = parsed((await here.runtime(['logs', 'prints', 'again', '--json'])).stdout);
    expect(documents[0]).toEqual({
      schema: 1,
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      thread: 1,
      stream: 'stdout',
      tasks: [{ id: 'again', attempt: 1 }],
      text: 'says again',
    });
    expect(documents.filter(({ stream }) => stream === 'log')).toMatchObject([
      { level: 'info', text: 'noted', fields: { input: 'again' }, tasks: [{ attempt: 1 }] },
      { tasks: [{ attempt: 2 }] },
    ]);
  });

  test('names all that may have printed a line, where a thread runs several', async () => {
    const here = printing();
    here.write('tasks.ndjson', ndjson([task('a', 'twice'), task('b', 'twice')]));
    const flags = ['--tasks', 'tasks.ndjson', '--threads', '1', '--concurrency', '2'];
    const command = here.start(['run', 'prints.mjs', ...flags], { input: '' });
    await here.until('prints', (status) => started(status) === 2);
    here.write('open', '');
    await command;
    const { stdout } = await here.runtime(['logs', 'prints']);
    expect(stdout).toContain('a | before a\n');
    expect(stdout).toContain('one of a, b | before b\n');
    const one = await here.runtime(['logs', 'prints', 'a']);
    expect(one.stdout).toContain('before b\n');
    expect(one.stderr).toContain('-- one of a, b --\n');
  });

  test('keeps what is logged with fields that JSON does not hold, and all that comes after it', async () => {
    const here = place();
    here.write(
      'odd.mjs',
      `export default (n, { log }) => {
         const self = {};
         self.self = self;
         log.info({ self, big: 12345678901234567890n }, 'odd ' + n);
         console.log('line ' + n);
       };`,
    );
    await here.runtime(['run', 'odd.mjs', '--lines', '--threads', '1'], { input: '1\n2\n' });
    const { stdout } = await here.runtime(['logs', 'odd']);
    for (const text of ['odd 1', 'line 1', 'odd 2', 'line 2']) expect(stdout).toContain(text);
    expect(stdout).toContain('12345678901234567890n');
  });

  test('follows a run until it has ended', async () => {
    const here = printing();
    here.write('tasks.ndjson', ndjson([task('a', 'twice')]));
    const command = here.start(['run', 'prints.mjs', '--tasks', 'tasks.ndjson', '--threads', '1'], { input: '' });
    await here.until('prints', (status) => started(status) === 1);
    const following = here.start(['logs', 'prints', '--follow']);
    let seen = '';
    following.stdout.on('data', (text: Buffer) => (seen += String(text)));
    await waitFor('the first line', () => seen === 'a | before a\n');
    here.write('open', '');
    await command;
    expect(await following).toMatchObject({ exitCode: 0, stdout: 'a | before a\na | after a\n' });
  });

  test('has what a task printed before it took its process along', async () => {
    const here = printing();
    await run(here, [task('a', 'last')], '--max-crashes', '1');
    expect((await here.runtime(['logs', 'prints'])).stdout).toContain('a | last words\n');
  });

  test('gives a file or a pipe what was printed, byte for byte; what it is called by is escaped', async () => {
    const here = printing();
    await run(here, [task('\u001b[1mx', 'steer')]);
    expect((await here.runtime(['logs', 'prints'])).stdout).toBe('\\u001b[1mx | \u001b[2Jcleared\n');
    expect((await here.runtime(['logs', 'prints', '\u001b[1mx'])).stdout).toBe('\u001b[2Jcleared\n');
  });

  test('of tasks that print nothing, nothing is made; and of those of a run in memory, nothing is left', async () => {
    const here = printing();
    await run(here, [task('a', 'silent')]);
    expect(files(here).filter((name) => name.startsWith('output'))).toEqual([]);
    const { exitCode, stdout, stderr } = await here.runtime(['logs', 'prints']);
    expect([exitCode, stdout]).toEqual([0, '']);
    expect(stderr).toContain('nothing is recorded that tasks of prints printed');
    await run(here, [task('a', 'speak')], '--no-durable', '--run-id', 'memory');
    expect(existsSync(join(here.dir, '.runtime/runs/memory'))).toBe(false);
  });

  test('--fresh forgets what earlier executors recorded; a task that is not there is told the one that is like it', async () => {
    const here = printing();
    await run(here, [task('first', 'speak')]);
    await run(here, [task('second', 'speak')], '--fresh');
    const { stdout } = await here.runtime(['logs', 'prints']);
    expect(stdout).toContain('second | says second\n');
    expect(stdout).not.toContain('first');
    const { stderr } = await here.runtime(['logs', 'prints', 'secnd']);
    expect(stderr).toBe('nothing is recorded that a task "secnd" printed; did you mean "second"?\n');
    expect((await here.runtime(['logs', 'nope'])).stderr).toContain('there is no run "nope"');
  });

  test('names a line of standard input by what is in it, as its id tells nobody anything', async () => {
    const here = printing();
    await here.runtime(['run', 'prints.mjs', '--lines', '--handler', 'speak'], { input: lines(2) });
    expect((await here.runtime(['logs', 'prints'])).stdout).toMatch(/^[0-9a-f]{16} \(([12])\) \| says \1$/m);
  });
});
