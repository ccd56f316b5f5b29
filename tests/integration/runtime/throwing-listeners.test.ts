import { expect } from 'vitest';
import { execa } from 'execa';
import { place } from '../../support/command.js';
import { longTestAfter } from '../../support/long.js';

const API = new URL('../../../dist/index.js', import.meta.url).href;

/** A program whose listener throws at each event of one kind, and which catches what nobody catches. */
const program = (event: string) => `
import { createExecutor } from ${JSON.stringify(API)};
const thrown = new Set();
process.on('uncaughtException', ({ message }) => thrown.add(message));
const executor = await createExecutor({ runId: 'r', handlers: './work.mjs', threads: 1, retries: 1, backoff: { base: 0 }, maxCrashes: 1 });
executor.on(${JSON.stringify(event)}, () => { throw new Error('of a listener'); });
console.log(await executor.submit('echo', 1));
console.log(await executor.submit('fail', 2).catch(({ code }) => code));
console.log(await executor.submit('exit', 3).catch(({ code }) => code));
console.log(await executor.submit('echo', 4));
await executor.stop();
console.log([...thrown].join());
const next = await createExecutor({ runId: 'r', handlers: './work.mjs', threads: 1 });
console.log(await next.submit('echo', 5));
await next.stop();
`;

longTestAfter(3, ['outcome', 'thread-died', 'mode-changed', 'started', 'retrying', 'beat'])(
  'a listener of %s that throws is told as an error that nobody caught, and harms no task and no stop',
  async (event) => {
    const here = place();
    here.write(
      'work.mjs',
      `export const echo = (n) => n;
       export const fail = () => { throw new Error('fails'); };
       export const exit = () => process.exit(1);`,
    );
    here.write('program.mjs', program(event));
    const { stdout, stderr } = await execa(process.execPath, ['program.mjs'], { cwd: here.dir, reject: false });
    expect(`${stdout}${stderr}`.split('\n')).toEqual([
      '1',
      'ERR_TASK_FAILED',
      'ERR_TASK_CRASHED',
      '4',
      'of a listener',
      '5',
    ]);
  },
);
