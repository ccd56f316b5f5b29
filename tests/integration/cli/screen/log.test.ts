/** The log of the command, where the process is in trouble. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const LOG = fileURLToPath(new URL('../../../../dist/cli/screen/log.js', import.meta.url));

test.skipIf(process.platform === 'win32')('a process that can open no file any more still says so', async () => {
  const program = `
    import { openSync } from 'node:fs';
    import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog({ quiet: false, color: false });
    try { for (;;) openSync('/dev/null'); } catch {}
    log.warn({ thread: 2, err: new Error('too many') }, 'no file can be opened');
    log.info('and it goes on');`;
  const { exitCode, stdout, stderr } = await execa(
    'bash',
    ['-c', 'ulimit -n 100; "$0" --input-type=module --eval "$1"', process.execPath, program],
    // A report of coverage could not be written either, and Node would say so.
    { reject: false, env: { NODE_V8_COVERAGE: '' } },
  );
  const lines = stderr.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toEqual([
    expect.objectContaining({ level: 'warn', thread: 2, err: 'too many', msg: 'no file can be opened' }),
    expect.objectContaining({ level: 'info', msg: 'and it goes on' }),
  ]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
});
