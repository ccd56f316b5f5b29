/** `--each <glob>`: every file it matches is a task. */
import { HoldfastError } from '../../../base/errors.js';
import { noMatch, unreachable } from './each-errors.js';
import { findFiles, type FindSettings, type FoundFiles } from './find-files.js';
import { excluder, parseGlob } from './glob.js';
import type { SourceTask, TaskSource } from './source.js';

export interface EachSettings extends Pick<FindSettings, 'cwd' | 'follow' | 'own'> {
  /** Globs; relative to `cwd`, or absolute. */
  exclude: readonly string[];
}

/**
 * One task a file. Its input is the path: relative to `cwd` with forward
 * slashes, or absolute if the glob is. Its id is the same path, so that the
 * same command continues the run. Files alone, in the order of their paths;
 * names that start with a dot only if the glob names the dot. A link to a file
 * is a file; one to a folder is followed where it is named, and else only if asked for.
 *
 * All paths are in memory at once: they have to be, to be sorted and counted.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if no file matches.
 */
export async function eachFile(typed: string, handler: string, settings: EachSettings): Promise<TaskSource> {
  const { paths, leftOut, linksNotFollowed } = await find(typed, settings);
  return { total: paths.length, tasks: tasksOf(paths, handler), leftOut, linksNotFollowed };
}

async function find(typed: string, { cwd, exclude, follow, own }: EachSettings): Promise<FoundFiles> {
  const glob = parseGlob(typed, cwd);
  if (glob === undefined) throw noMatch(typed, cwd, '', { leftOut: [] });
  let found: FoundFiles;
  try {
    found = await findFiles(glob, { cwd, follow, own, isExcluded: excluder(exclude, cwd) });
  } catch (error) {
    if (error instanceof HoldfastError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw unreachable(typed, cwd, glob.base, error);
  }
  if (found.paths.length === 0) throw noMatch(typed, cwd, glob.base, found);
  return found;
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
