// @ts-check
/** The least that runs one task on a pool of two threads, and prints its result. */
import { Piscina } from 'piscina';

const filename = new URL('../threads/handlers.mjs', import.meta.url).href;
const pool = new Piscina({ filename, minThreads: 2, maxThreads: 2 });
const result = await pool.run(Number(process.argv[2]), { name: 'double' });
console.log(JSON.stringify({ state: 'done', result }));
await pool.destroy();
