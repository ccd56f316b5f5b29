// @ts-check
/** Says that it waits for a lock, then when it got it; holds it until it is killed. */
import { locks } from '../contenders/locks.mjs';
import { settingsOfProcess } from '../race.mjs';

/** @type {{ lock: keyof typeof locks, path: string }} */
const settings = settingsOfProcess();
const lock = await locks[settings.lock](settings.path);
process.send?.('waiting');
await lock.acquire(60_000);
const acquiredAt = process.hrtime.bigint();
process.send?.(String(acquiredAt));
// The channel, listened to, keeps the process; without its parent it ends.
process.on('disconnect', () => process.exit());
process.on('message', () => {});
