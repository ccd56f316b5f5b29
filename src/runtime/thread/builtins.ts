/**
 * Notices when a task replaces a builtin. Our own code keeps its copies (see
 * `own.ts`); other tasks of the thread, and the packages that they use, get
 * what was put in its place, so it is told who did it.
 */
const iterator: typeof Symbol.iterator = Symbol.iterator;
const arrays = Array.prototype as unknown[];
const objects = Object.prototype as { then?: unknown };

const READ = {
  'Array.prototype.push': () => arrays.push,
  'Array.prototype[Symbol.iterator]': () => arrays[iterator],
  'Promise.prototype.then': () => Promise.prototype.then,
  'Object.prototype.then': () => objects.then,
  'Object.keys': () => Object.keys,
  'JSON.parse': () => JSON.parse,
  'JSON.stringify': () => JSON.stringify,
  'Atomics.wait': () => Atomics.wait,
  'performance.now': () => performance.now,
  'Date.now': () => Date.now,
  setTimeout: () => globalThis.setTimeout,
  setImmediate: () => globalThis.setImmediate,
  'process.exit': () => process.exit,
};
type Name = keyof typeof READ;
const NAMES = Object.keys(READ) as Name[];

let known = {} as Record<Name, unknown>;
takeForGranted();

/** From now on, what there is counts as it should be: a module may well replace some while it loads. */
export function takeForGranted(): void {
  const now = {} as Record<Name, unknown>;
  for (let i = 0; i < NAMES.length; i++) now[NAMES[i]!] = READ[NAMES[i]!]();
  known = now;
}

/** Whether all are there still. In one expression: asked after each task, a loop over them costs five times as much. */
export function intact(): boolean {
  return (
    arrays.push === known['Array.prototype.push'] &&
    arrays[iterator] === known['Array.prototype[Symbol.iterator]'] &&
    Promise.prototype.then === known['Promise.prototype.then'] &&
    objects.then === known['Object.prototype.then'] &&
    Object.keys === known['Object.keys'] &&
    JSON.parse === known['JSON.parse'] &&
    JSON.stringify === known['JSON.stringify'] &&
    Atomics.wait === known['Atomics.wait'] &&
    performance.now === known['performance.now'] &&
    Date.now === known['Date.now'] &&
    globalThis.setTimeout === known['setTimeout'] &&
    globalThis.setImmediate === known['setImmediate'] &&
    process.exit === known['process.exit']
  );
}

/** The names of those that were replaced since this was asked the last time. */
export function replaced(): string[] {
  const before = known;
  takeForGranted();
  const names: string[] = [];
  for (let i = 0; i < NAMES.length; i++) {
    if (known[NAMES[i]!] !== before[NAMES[i]!]) names[names.length] = NAMES[i]!;
  }
  return names;
}
