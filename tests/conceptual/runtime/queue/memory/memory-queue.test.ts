import { openMemoryQueue } from '../../../../../dist/runtime/queue/memory/memory-queue.js';
import { describeQueueContract } from '../../../../support/queue-contract.js';

describeQueueContract({
  name: 'memory store',
  open: async () => openMemoryQueue(),
  forgetsUnnamed: 'the memory store only counts tasks without an id, so that it does not grow',
});
