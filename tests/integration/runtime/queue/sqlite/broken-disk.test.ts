/** A disk that breaks under an open queue: an error in words, and whatever was told is there when it is mended. */
import { expect, test } from 'vitest';
import { join } from 'node:path';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import { breakableDisk } from '../../../../support/broken-disk.js';
import type { Trouble } from '../../../../support/broken-disk.js';
import { program } from '../../../../support/program.js';
import { queueProcess } from '../../../../support/queue-process.js';
import { all } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

const TROUBLES: [what: string, trouble: Trouble, code: string, hint: string][] = [
  ['an fsync fails', ['sync', 'EIO'], 'ERR_QUEUE_IO', 'Check the disk'],
  ['a write fails', ['write', 'EIO'], 'ERR_QUEUE_IO', 'Check the disk'],
  ['the disk is full', ['write', 'ENOSPC'], 'ERR_QUEUE_DISK_FULL', 'Free some space'],
  ['the quota is used up', ['write', 'EDQUOT'], 'ERR_QUEUE_IO', 'its quota'],
  ['the disk has become read-only', ['write', 'EROFS'], 'ERR_QUEUE_IO', 'Check the disk'],
];

test.for(TROUBLES)(
  '%s: told in words, and nothing that was told is missing',
  async ([, trouble, code, hint], context) => {
    const disk = breakableDisk();
    if (typeof disk === 'string') return context.skip(disk);
    const path = join(tempDir(), 'queue.db');
    const env = { ...process.env, ...disk.env };
    const writer = queueProcess(path, 'work', '', { env });
    await waitFor('some outcomes', () => writer.facts.filter((fact) => fact.settled).length > 5);
    disk.break(trouble);
    await writer.exited;
    expect(writer.facts.at(-1)).toMatchObject({
      failed: code,
      message: expect.stringContaining(path) as string,
      hint: expect.stringContaining(hint) as string,
    });

    disk.mend();
    const reader = (await openSqliteQueueReader(path))!;
    const recorded = new Map(
      (await all(reader.outcomes())).map(({ ordinal, id, result }) => [ordinal, [ordinal, id, result]]),
    );
    await reader.close();
    const told = writer.facts.flatMap((fact) => fact.settled ?? []);
    expect(told.length).toBeGreaterThan(0);
    for (const outcome of told) expect(recorded.get(outcome[0])).toEqual(outcome);

    const again = queueProcess(path, 'work', '', { env });
    await waitFor('it to go on', () => again.facts.some((fact) => fact.settled));
  },
);

test('an executor in code is told in the same words, and so is whoever waits for an outcome', async (context) => {
  const disk = breakableDisk();
  if (typeof disk === 'string') return context.skip(disk);
  const exports = Object.entries(disk.env).map(([name, value]) => `export ${name}='${value}';`);
  const { said, stderr } = await program(
    `
    import { rmSync, writeFileSync } from 'node:fs';
    const words = ({ code, message, hint }) => ({ code, message, hint });
    let executor = await open({ durable: true });
    const failed = new Promise((resolve) => executor.once('failed', resolve));
    say(await executor.submit('echo', 1, { id: 'a' }));
    writeFileSync('${disk.trigger}', '${disk.text(['sync', 'EIO'])}');
    say(words(await executor.submit('echo', 2, { id: 'b' }).catch((error) => error)));
    say(words(await failed));
    await executor.stop().catch(() => {});
    rmSync('${disk.trigger}');
    executor = await open({ durable: true });
    say(await executor.submit('echo', 1, { id: 'a' }));
    say(await executor.submit('echo', 2, { id: 'b' }));
    await executor.stop();
  `,
    { prelude: exports.join(' ') },
  );
  const told = {
    code: 'ERR_QUEUE_IO',
    message: expect.stringMatching(/^the queue cannot be read or written: .*queue\.db \(SQLITE_IOERR_\w+: /) as string,
    hint: expect.stringContaining('Check the disk') as string,
  };
  expect(said, stderr).toEqual([1, told, told, 1, 2]);
});
