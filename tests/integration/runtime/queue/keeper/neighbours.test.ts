/** What handlers, and other programs, do to the files of a run while it goes on: nothing that was told is lost. */
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, onTestFinished, test } from 'vitest';
import { childOf } from '../../../../../scripts/chaos/processes.mjs';
import { parsed } from '../../../../support/command.js';
import { ndjson, RunPlace } from '../../../../support/run-process.js';
import { waitFor } from '../../../../support/wait-for.js';

const DRIVER = createRequire(import.meta.url).resolve('better-sqlite3');

/** Opens the queue to write, reads a row and closes it, again and again, as a database browser may. Says so each time. */
const VISITOR = `
  const Database = require(${JSON.stringify(DRIVER)});
  for (;;) {
    try {
      const db = new Database(process.argv[1], { fileMustExist: true });
      db.prepare('select count(*) from tasks').get();
      db.close();
      require('node:fs').writeSync(1, '.');
    } catch (error) {
      if (!/unable to open|no such table|locked/.test(error.message)) throw error;
    }
  }
`;

/** Each task copies the folder of the run, and reads all of its files. */
const COPIES = `
  import { cpSync, readdirSync, readFileSync } from 'node:fs';
  import { join } from 'node:path';
  const runDir = process.env.RUN_DIR;
  export default (input, { taskId }) => {
    const copy = join(process.env.HOLD_DIR, 'copy-' + taskId);
    cpSync(runDir, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    for (const name of readdirSync(runDir)) if (!name.endsWith('.sock')) readFileSync(join(runDir, name));
    return input;
  };
`;

test.each([[[]], [['--no-supervise']]])(
  'runtime run %j: handlers copy the state folder, another program opens and closes the queue, all is killed: every outcome that was printed is there',
  async (more) => {
    const place = new RunPlace();
    writeFileSync(place.path('copies.mjs'), COPIES);
    const tasks = Array.from({ length: 400 }, (_, input) => ({ id: `t${input}`, input }));
    writeFileSync(place.path('all.ndjson'), ndjson(tasks));
    process.env['RUN_DIR'] = place.runDir;
    onTestFinished(() => void delete process.env['RUN_DIR']);
    const args = ['--tasks', place.path('all.ndjson'), '--results', '-', '--rate', '60/s', ...more];
    const run = place.startModule(place.path('copies.mjs'), ...args);
    await waitFor('the queue', () => readdirSync(place.dir).some((name) => name.startsWith('copy-')));
    const visitor = spawn(process.execPath, ['-e', VISITOR, `${place.runDir}/queue.db`]);
    onTestFinished(() => void visitor.kill('SIGKILL'));
    let visits = 0;
    visitor.stdout.on('data', (chunk: Buffer) => (visits += chunk.length));
    await waitFor('visits', () => visits > 20);
    const before = run.stdout.split('\n').length;
    await waitFor('outcomes after that', () => run.stdout.split('\n').length > before + 30);
    const keeper = childOf(run.pid, 'keeper');
    run.signalBoth('SIGKILL');
    if (keeper !== undefined) process.kill(keeper, 'SIGKILL');
    await run.ended;
    expect(visitor.exitCode).toBeNull();
    const told = parsed(run.stdout.slice(0, run.stdout.lastIndexOf('\n'))).map(({ id }) => id);
    const recorded = (await place.outcomes()).map(({ id }) => id);
    expect(told.length).toBeGreaterThan(30);
    expect(recorded).toEqual(expect.arrayContaining(told));
    expect(new Set(recorded).size).toBe(recorded.length);
  },
);
