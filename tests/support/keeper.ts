import { readdirSync, readFileSync } from 'node:fs';

/** The process that keeps the queue for an executor in that process, which has no supervisor. */
export function keeperOf(pid: number): number | undefined {
  return childrenOf(pid).find((child) => isKeeper(child));
}

/** Children of all its threads. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  });
}

function isKeeper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper-process.js');
  } catch {
    return false;
  }
}
