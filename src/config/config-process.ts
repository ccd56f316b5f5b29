/** The process that `evaluateConfig` starts: it loads one config file, answers with what that says, and ends. */
import { HoldfastError, type ErrorCode } from '../base/errors.js';
import { loadConfig } from './load-config.js';
import type { RuntimeConfig } from './runtime-config.js';

/** JSON. `env`: the variables of the environment that the module changed, `null` those it took away. */
export type ConfigAnswer =
  | { config: Omit<RuntimeConfig, 'smoke'>; env: Record<string, string | null> }
  | { refused: { code: ErrorCode; message: string; hint?: string | undefined } };

// Once nobody waits any more, nothing is left to be done; until then, this keeps a process whose module awaits something.
// (Its own `exit`: while the module loads, that of the process is refused.)
const exit = process.exit.bind(process, 0);
process.once('disconnect', exit);
// What is left are the arguments of the command, which the module may look at.
const [, path, deadlineMs] = process.argv.splice(1, 3);
const before = { ...process.env };
process.send!(await answer(path!, Number(deadlineMs)), exit);

async function answer(file: string, deadline: number): Promise<ConfigAnswer> {
  try {
    const { smoke: _, ...config } = await loadConfig(file, deadline);
    return { config, env: changed(before, process.env) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const { code, message, hint } = error;
    return { refused: { code, message, hint } };
  }
}

function changed(old: NodeJS.ProcessEnv, now: NodeJS.ProcessEnv): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (now[name] !== old[name]) changes[name] = now[name] ?? null;
  }
  return changes;
}
