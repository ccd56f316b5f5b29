/**
 * What each thread starts with: it lets the ES modules in.
 *
 * Given an ES module, Node 20 aborts the whole process when the thread is ended
 * at just the instant at which it is loaded ("IsGraphAsync must be used on an
 * instantiated module"): one in a thousand of those that were ended while they
 * loaded. CommonJS, and `import` from there, do not.
 */
const LONG_MS = 2 ** 31 - 1;

// Until its port is listened on, nothing else is sure to keep the thread.
const loading = setInterval(() => {}, LONG_MS);
void import('./entry.js').then(() => clearInterval(loading));
