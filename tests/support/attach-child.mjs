// Looks into a process, and says how far it is; to be killed on the way.
//
//   node attach-child.mjs <pid> <begins | attached | snapshot | detaching>
import { join } from 'node:path';
import { attachToProcess } from '../../dist/debug/inspector/attach-process.js';
import { evaluate } from '../../dist/debug/inspector/evaluate.js';

const [pid, stage] = process.argv.slice(2);
if (stage === 'begins') console.log(stage);
const { threads, folder, detach } = await attachToProcess(Number(pid));
if (stage === 'snapshot') {
  for (const { session, threadId } of threads) {
    const path = JSON.stringify(join(folder, `${threadId}.heapsnapshot`));
    void evaluate(session, `builtin('v8').writeHeapSnapshot(${path})`).catch(() => {});
  }
}
if (stage === 'detaching') void detach();
if (stage !== 'begins') console.log(stage);
setInterval(() => {}, 1000);
