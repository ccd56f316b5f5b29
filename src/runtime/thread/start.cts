/**
 * What each thread starts with: it lets the ES modules in.
 *
 * Given an ES module, Node 20 aborts the whole process when the thread is ended
 * at just the instant at which it is loaded ("IsGraphAsync must be used on an
 * instantiated module"): one in a thousand of those that were ended while they
 * loaded. CommonJS, and `import` from there, do not.
 */
void import('./entry.js');
