import type { ExecutorMode } from '../status.js';
import type { TaskCounts } from '../task/task.js';
import { formatCount } from '../../base/units.js';

/** What an executor is at, as one line for people. */
export function noteOf(mode: ExecutorMode, counts: TaskCounts): string {
  const tasks = counts.running === 1 ? 'task' : 'tasks';
  const running = `${formatCount(counts.running)} running ${tasks}`;
  const left = counts.queued + counts.delayed;
  const waiting = `${formatCount(left)} waiting`;
  switch (mode) {
    case 'running':
      if (counts.running > 0) return `running ${formatCount(counts.running)} ${tasks}, ${waiting}`;
      if (counts.queued > 0) return waiting;
      return counts.delayed > 0 ? `${formatCount(counts.delayed)} waiting to be tried again` : 'nothing to do';
    case 'paused':
      return counts.running > 0 ? `paused, ${running} left, ${waiting}` : `paused, ${waiting}`;
    case 'draining':
    case 'stopping':
      return counts.running > 0 ? `waiting for ${running}` : 'ending';
    case 'failed':
      return counts.running > 0 ? `failed, waiting for ${running}` : 'failed';
    case 'stopped':
      return left > 0 ? `stopped, ${formatCount(left)} left` : 'stopped';
  }
}
