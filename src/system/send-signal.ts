/**
 * Sends a signal to a process, or with a negative number to a group; gives
 * whether there was one to take it. One of another user's is none that we could end.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
