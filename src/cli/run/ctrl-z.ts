import { suspend } from '../../runtime/processes/suspend.js';

/**
 * Ctrl-Z reaches this process, and neither the executor nor what tasks have
 * started: those are in sessions of their own. They are stopped with it, and go
 * on with it.
 *
 * @param root the process that is stopped with all below it
 */
export function stopTogether(root: () => number | undefined): void {
  const onStop = () => {
    const pid = root();
    const goOn = pid === undefined ? () => {} : suspend(pid);
    process.off('SIGTSTP', onStop);
    // Comes back when this process may go on; at once, where no shell is there that could let it.
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', onStop);
    goOn();
  };
  process.on('SIGTSTP', onStop);
}
