import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SourceTask } from '../../../../../dist/cli/run/input/source.js';
import { followSpool, needsSpool, spoolStdin } from '../../../../../dist/cli/run/input/spool.js';
import { eachLine } from '../../../../../dist/cli/run/input/stdin-lines.js';
import { fileChunks, readTasks } from '../../../../../dist/cli/run/input/task-file.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const dist = (path: string) => new URL(`../../../../../dist/${path}`, import.meta.url).href;

describe('a task file on disk', () => {
  const choice = { handler: 'h', handlers: ['h'], bigIntegers: false };

  test('is read as it is written', async () => {
    const file = join(tempDir(), 'tasks.ndjson');
    writeFileSync(file, '{"input":1}\r\n{"id":"x","input":{"a":"ü"}}');
    const source = await readTasks(file, () => fileChunks(file), choice);
    expect((await collect(source.tasks)).map(({ input }) => input)).toEqual(['1', '{"a":"ü"}']);
  });

  test('that is missing, or is a folder, is told as a wrong option', async () => {
    const dir = tempDir();
    const reading = (path: string) => readTasks(path, () => fileChunks(path), choice);
    const missing = join(dir, 'none');
    await expect(reading(missing)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      message: `--tasks: ${JSON.stringify(missing)} cannot be read: there is no such file`,
    });
    await expect(reading(dir)).rejects.toThrow('it is a folder');
    await expect(reading(join(dir, 'a\0b'))).rejects.toThrow('ERR_INVALID_ARG_VALUE');
    symlinkSync('loop', join(dir, 'loop'));
    await expect(reading(join(dir, 'loop'))).rejects.toThrow('cannot be read: ELOOP');
  });

  test('of 200,000 lines needs no more of the heap than one of 2,000', async () => {
    // With a heap of 24 MB, 20 MB of text and their tasks do not fit in it.
    const dir = tempDir();
    const file = join(dir, 'tasks.ndjson');
    const block = Array.from({ length: 2_000 }, (_, n) => `{"input":{"path":"${'x'.repeat(80)}${n}"}}\n`).join('');
    writeFileSync(file, block.repeat(100));
    const script = `
      import { readTasks, fileChunks } from ${JSON.stringify(dist('cli/run/input/task-file.js'))};
      const file = ${JSON.stringify(file)};
      const source = await readTasks(file, () => fileChunks(file), { handler: 'h', handlers: undefined, bigIntegers: false });
      let count = 0;
      for await (const task of source.tasks) count += task.input.length > 80 ? 1 : 0;
      console.log(source.total, count);`;
    const out = execFileSync(process.execPath, ['--max-old-space-size=24', '--input-type=module', '-e', script]);
    expect(out.toString()).toBe('200000 200000\n');
  });
});

/** A stream for a test to write to; it ends with the test, and the spool's file with it. */
function openStream(): PassThrough {
  const stream = new PassThrough();
  onTestFinished(() => void stream.end());
  return stream;
}

describe('standard input, spooled', () => {
  test('that is lost, and whose followers cannot be told, is told to who writes it', async () => {
    const dir = tempDir();
    const stream = new PassThrough();
    const { finished, unheard } = await spoolStdin(stream, dir);
    // Nothing can be renamed that is not there, as nothing can on a disk that is read-only.
    rmSync(join(dir, 'input.partial'));
    stream.end('1\n');
    await expect(finished).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    expect(await unheard).toMatchObject({ code: 'ERR_STATE_DIR' });
  });

  test('goes to a private file that has its name once all is there', async () => {
    const dir = tempDir();
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    const partial = join(dir, 'input.partial');
    expect(statSync(partial).mode & 0o777).toBe(0o600);
    stream.write('one\ntw');
    await waitFor('the first part', () => readFileSync(partial, 'utf8') === 'one\ntw');
    expect(existsSync(join(dir, 'input'))).toBe(false);
    stream.end('o\n');
    await finished;
    expect(readFileSync(join(dir, 'input'), 'utf8')).toBe('one\ntwo\n');
    expect(existsSync(partial)).toBe(false);
  });

  test('is never given the end of, nor removed by, another command that had the folder before', async () => {
    const dir = tempDir();
    const lost = openStream();
    const before = await spoolStdin(lost, dir);
    const taken = openStream();
    const now = await spoolStdin(taken, dir);
    taken.write('kept\n');
    lost.end('of the other command\n');
    await expect(before.finished).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    await before.remove();
    taken.end();
    await now.finished;
    await before.remove();
    expect(readFileSync(join(dir, 'input'), 'utf8')).toBe('kept\n');
    await now.remove();
    expect(existsSync(join(dir, 'input'))).toBe(false);
  });

  test('ends what reads it when it is removed', async () => {
    const dir = tempDir();
    const stream = openStream();
    await spoolStdin(stream, dir);
    const reading = followSpool(dir);
    stream.write('one\n');
    expect((await reading.next()).value?.toString()).toBe('one\n');
    rmSync(join(dir, 'input.partial'));
    await expect(reading.next()).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
  });

  test('is read while it grows, whatever a slow writer cuts in two', async () => {
    const dir = tempDir();
    const stream = openStream();
    const spooling = await spoolStdin(stream, dir);
    const tasks = eachLine(followSpool(dir), 'h').tasks[Symbol.asyncIterator]();
    const text = 'grüße\n😀 zwei\nende';
    const read: string[] = [];
    let reading = tasks.next();
    for (const byte of Buffer.from(text)) {
      stream.write(Buffer.from([byte]));
      // One byte at a time must reach the file before the next is written.
      await waitFor('the byte', () => stream.readableLength === 0);
      if (byte !== 10) continue;
      // The stream is still open, and the line is a task already.
      read.push(JSON.parse((await reading).value!.input as string) as string);
      reading = tasks.next();
    }
    expect(read).toEqual(['grüße', '😀 zwei']);
    stream.end();
    await spooling.finished;
    expect((await reading).value).toMatchObject({ input: '"ende"', line: 3 });
    expect((await tasks.next()).done).toBe(true);
  });

  test('is read again from the start by whoever comes later, under the same ids', async () => {
    const dir = tempDir();
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    stream.write('a\nb\n');
    const first = eachLine(followSpool(dir), 'h').tasks[Symbol.asyncIterator]();
    const one = (await first.next()).value as SourceTask;
    await first.return?.(undefined);
    stream.end('c\n');
    await finished;
    const all = await collect(eachLine(followSpool(dir), 'h').tasks);
    expect(all.map(({ input }) => input)).toEqual(['"a"', '"b"', '"c"']);
    expect(all[0]!.id).toBe(one.id);
  });

  test('survives a reader that is killed: its successor gets every line', async () => {
    const dir = tempDir();
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    stream.write('1\n2\n');
    const script = `
      import { followSpool } from ${JSON.stringify(dist('cli/run/input/spool.js'))};
      setInterval(() => {}, 1000);
      for await (const bytes of followSpool(${JSON.stringify(dir)})) process.stdout.write(bytes);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await exited;
    stream.end('3\n');
    await finished;
    expect(Buffer.concat(await collect(followSpool(dir))).toString()).toBe('1\n2\n3\n');
  });

  test('takes the place of what an earlier command left', async () => {
    const dir = tempDir();
    for (const name of ['input', 'input.partial', 'input.broken']) writeFileSync(join(dir, name), 'old\n');
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    const reading = collect(followSpool(dir));
    stream.end('new\n');
    await finished;
    expect(Buffer.concat(await reading).toString()).toBe('new\n');
    expect(existsSync(join(dir, 'input.broken'))).toBe(false);
  });

  test('of a later command is not taken for the end of this one', async () => {
    const dir = tempDir();
    const stream = openStream();
    await spoolStdin(stream, dir);
    stream.write('mine\n');
    const reader = followSpool(dir);
    expect(String((await reader.next()).value)).toBe('mine\n');
    const later = openStream();
    later.end('theirs\n');
    await (
      await spoolStdin(later, dir)
    ).finished;
    await expect(reader.next()).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    expect(String(await collect(followSpool(dir)))).toBe('theirs\n');
  });

  test('does not write through a link in its place', async () => {
    const dir = tempDir();
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, join(dir, 'input.partial'));
    const stream = openStream();
    stream.end('x');
    await (
      await spoolStdin(stream, dir)
    ).finished;
    expect(readFileSync(victim, 'utf8')).toBe('mine');
  });

  test('that breaks off is told to the writer and to the reader, after all that was there', async () => {
    const dir = tempDir();
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    stream.write('one\n');
    const read: string[] = [];
    const reading = (async () => {
      for await (const task of eachLine(followSpool(dir), 'h').tasks) read.push(task.input as string);
    })();
    await waitFor('the first line', () => read.length === 1);
    const refused = expect(reading).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    stream.destroy(new Error('the pipe broke'));
    await expect(finished).rejects.toMatchObject({
      code: 'ERR_STATE_DIR',
      message: expect.stringContaining('the pipe broke') as string,
    });
    await refused;
    // Whoever starts only now finds the same.
    await expect(collect(followSpool(dir))).rejects.toThrow('its writer met an error');
  });

  test('that cannot be written is told to both', async () => {
    const dir = tempDir();
    // The limit of the file's size stands for a full disk: writes fail with EFBIG.
    const script = `
      import { spoolStdin } from ${JSON.stringify(dist('cli/run/input/spool.js'))};
      process.on('SIGXFSZ', () => {});
      const { finished } = await spoolStdin(process.stdin, ${JSON.stringify(dir)});
      await finished.catch((error) => console.log(error.code, error.message));`;
    const out = execFileSync(
      'sh',
      ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      {
        input: Buffer.alloc(200_000, 'x'),
        // A report of coverage would meet the limit too.
        env: { ...process.env, NODE_V8_COVERAGE: '' },
      },
    );
    expect(out.toString()).toMatch(/^ERR_STATE_DIR .*EFBIG/);
    await expect(collect(followSpool(dir))).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
  });

  test('needs its folder, and a reader needs a spool', async () => {
    const dir = tempDir();
    await expect(spoolStdin(openStream(), join(dir, 'none'))).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    await expect(collect(followSpool(dir))).rejects.toMatchObject({ code: 'ERR_STATE_DIR' });
    symlinkSync('/etc/hostname', join(dir, 'input.partial'));
    await expect(collect(followSpool(dir))).rejects.toThrow('ELOOP');
  });

  test('is waited for no longer once the signal says so', async () => {
    const dir = tempDir();
    await spoolStdin(openStream(), dir);
    const controller = new AbortController();
    const reading = expect(collect(followSpool(dir, controller.signal))).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    controller.abort();
    await reading;
  });

  test('keeps a process alive that waits for nothing else', async () => {
    const dir = tempDir();
    const stream = openStream();
    const { finished } = await spoolStdin(stream, dir);
    stream.write('one\n');
    const script = `
      import { followSpool } from ${JSON.stringify(dist('cli/run/input/spool.js'))};
      for await (const bytes of followSpool(${JSON.stringify(dir)})) process.stdout.write(bytes);
      console.log('end');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let out = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    await waitFor('the first line', () => out === 'one\n');
    stream.end('two\n');
    await finished;
    expect(await exited).toEqual([0, null]);
    expect(out).toBe('one\ntwo\nend\n');
  });

  test('is needed for what can be read only once', async () => {
    const dir = tempDir();
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    writeFileSync(join(dir, 'file'), '');
    const tasks = (file: string) => needsSpool({ kind: 'tasks', file });
    expect(await needsSpool({ kind: 'lines', endedByNull: false })).toBe(true);
    expect(await tasks('-')).toBe(true);
    expect(await tasks(fifo)).toBe(true);
    expect(await tasks(join(dir, 'file'))).toBe(false);
    expect(await tasks(dir)).toBe(false);
    expect(await tasks(join(dir, 'none'))).toBe(false);
    expect(await needsSpool({ kind: 'each', glob: '*', exclude: [], follow: false })).toBe(false);
  });

  test('serves a task file on standard input for both readings', async () => {
    const dir = tempDir();
    const stream = openStream();
    await spoolStdin(stream, dir);
    const reading = readTasks('standard input', () => followSpool(dir), {
      handler: 'h',
      handlers: undefined,
      bigIntegers: false,
    });
    stream.write('{"input":1}\n{"inp');
    stream.end('ut":2}\n');
    const source = await reading;
    expect((await collect(source.tasks)).map(({ input }) => input)).toEqual(['1', '2']);
  });
});
