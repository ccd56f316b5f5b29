import { join } from 'node:path';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { describeQueueContract } from '../../../../support/queue-contract.js';
import { tempDir } from '../../../../support/temp-dir.js';

describeQueueContract({
  name: 'SQLite store',
  open: () => openSqliteQueue(join(tempDir(), 'queue.db')),
});
