// @ts-check
/** What Prometheus does, while it is told to. */
const [url = '', everyMs] = process.argv.slice(2);
/** @type {NodeJS.Timeout | undefined} */
let timer;

process.on('message', (message) => {
  clearInterval(timer);
  if (message === 'on') timer = setInterval(() => void scrape(), Number(everyMs));
});
process.on('disconnect', () => process.exit());

async function scrape() {
  const response = await fetch(url);
  if (!(await response.text()).includes('holdfast_beats_total')) throw new Error(`${url} tells no beats`);
}
