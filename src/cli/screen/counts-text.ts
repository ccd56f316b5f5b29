import { formatCount } from '../../base/units.js';
import type { TaskCounts } from '../../runtime/task/task.js';
import type { Color, Paint } from './color.js';

const COLORS: Record<string, Color> = { done: 'green', queued: 'yellow', delayed: 'yellow', running: 'yellow' };

/**
 * `782 queued, 22 running, 426 done`; the empty string: there are none.
 * @param goesOn whether what is running does run: else it was when the last executor died, and will run again
 */
export function countsText(counts: TaskCounts, goesOn: boolean, paint: Paint): string {
  const nameOf = (name: string) => (name === 'running' && !goesOn ? 'interrupted' : name);
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => paint(COLORS[name] ?? 'red', `${formatCount(count)} ${nameOf(name)}`))
    .join(', ');
}
