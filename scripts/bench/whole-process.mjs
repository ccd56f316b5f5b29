// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * @param {readonly string[]} args of `node`
 * @param {string} expected what is to be in its standard output
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} ms from spawn to exit
 */
export async function timeOf(args, expected, env = process.env) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, 'exit');
  const duration = performance.now() - start;
  const [stdout, stderr] = await printed;
  if (code !== 0 || !stdout.includes(expected))
    throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return duration;
}
