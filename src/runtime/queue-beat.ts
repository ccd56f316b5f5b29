import { HoldfastError } from '../base/errors.js';
import type { QueueReader, Recovering } from './queue/contract.js';
import type { TaskCounts } from './task/task.js';

/** The counts, for a beat. A queue that is idle would else not notice that its files were taken away. */
export async function countsForBeat(
  queue: QueueReader & Recovering,
  onLost: (error: HoldfastError) => void,
): Promise<TaskCounts> {
  try {
    await queue.check();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ERR_QUEUE_LOST') onLost(error);
    throw error;
  }
  return queue.counts();
}
