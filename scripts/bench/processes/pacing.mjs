// @ts-check
/** Takes events that are planned evenly; tells the p99 of how late they came, in ms. */
import { settingsOfProcess, tellFigure } from '../race.mjs';
import { percentile } from '../statistics.mjs';

/** @type {{ contender: 'holdfast' | 'setInterval', rate: number, count: number }} */
const { contender, rate, count } = settingsOfProcess();
/** @type {number[]} */
const late = [];
let start = NaN;
const taken = () => late.push(performance.now() - start - (late.length * 1000) / rate);

const contenders = {
  async holdfast() {
    const { generateEvents } = await import('../../../dist/index.js');
    const events = generateEvents({ rate, count });
    start = performance.now();
    for await (const _ of events) taken();
  },
  setInterval: () =>
    new Promise((resolve) => {
      start = performance.now();
      const timer = setInterval(() => {
        if (taken() < count) return;
        clearInterval(timer);
        resolve(undefined);
      }, 1000 / rate);
    }),
};

await contenders[contender]();
tellFigure(percentile(late, 0.99));
