/** `--each <glob>`: every file it matches is a task. */
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { HoldfastError } from '../../runtime/errors.js';
import type { SourceTask, TaskSource } from './source.js';

/**
 * One task a file. Its input is the path: relative to `cwd` with forward
 * slashes, or absolute if the glob is. Its id is the same path, so that the
 * same command continues the run. Files alone, in the order of their paths;
 * names that start with a dot only if the glob names the dot.
 *
 * All paths are in memory at once: they have to be, to be sorted and counted.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if no file matches.
 */
export async function eachFile(glob: string, cwd: string, handler: string): Promise<TaskSource> {
  const { glob: find } = await import('tinyglobby');
  const paths = await find(glob, { cwd, absolute: isAbsolute(glob), onlyFiles: true, expandDirectories: false });
  if (paths.length === 0) throw noMatch(glob, cwd);
  return { total: paths.length, tasks: tasksOf(paths.sort(), handler) };
}

async function* tasksOf(paths: readonly string[], handler: string): AsyncGenerator<SourceTask> {
  for (const path of paths) {
    yield {
      // Ids that start with `#` are the queue's own.
      id: path.startsWith('#') ? `./${path}` : path,
      handler,
      input: JSON.stringify(path),
      priority: 0,
      timeoutMs: undefined,
      retries: undefined,
      line: undefined,
    };
  }
}

function noMatch(glob: string, cwd: string): HoldfastError {
  const folder = resolve(cwd, glob);
  const hint = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? `${glob} is a folder; for the files in it: --each '${glob.replace(/\/*$/, '')}/**'`
    : "Quote the glob, so that the shell leaves it alone: --each 'src/**/*.ts'";
  return new HoldfastError('ERR_INVALID_OPTIONS', `--each: no file matches ${JSON.stringify(glob)} in ${cwd}`, {
    hint,
  });
}
