/**
 * Who may import whom, as docs/architecture.md draws it.
 *
 * Rooms of `src/runtime` that know nobody else see only the shared words:
 * `errors.ts` and `task.ts`.
 */
const WORDS = '^src/runtime/(errors|task)[.]ts$';

/** A room that knows the shared words, itself, `others` of the runtime, and `debug`. */
const room = (name, others = [], debug = []) => ({
  name: `${name}-knows-its-place`,
  severity: 'error',
  comment: `src/runtime/${name} imports nobody but ${['errors.ts, task.ts', ...others, ...debug].join(', ')}`,
  from: { path: `^src/runtime/${name}/` },
  to: {
    path: '^src/',
    pathNot: [
      WORDS,
      `^src/runtime/${name}/`,
      ...others.map((other) => `^src/runtime/${other}`),
      ...debug.map((part) => `^src/debug/${part}`),
    ],
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'Two files that know each other are one file, or want a third one.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'never-upward',
      severity: 'error',
      comment: 'The runtime knows nothing of what is built on it.',
      from: { path: '^src/runtime/' },
      to: { path: '^src/', pathNot: '^src/(runtime|debug)/' },
    },
    {
      name: 'debug-knows-words-and-locks',
      severity: 'error',
      comment:
        'It looks into any process: of the runtime it needs errors, the forms of texts, locks, and where state lies.',
      from: { path: '^src/debug/' },
      to: {
        path: '^src/',
        pathNot: '^src/(debug/|runtime/(errors|faults|map-bounded|printable|state-dir|units)[.]ts|runtime/lock/)',
      },
    },
    {
      name: 'dryrun-knows-the-runtime-alone',
      severity: 'error',
      from: { path: '^src/dryrun/' },
      to: { path: '^src/', pathNot: '^src/(debug|runtime|dryrun)/' },
    },
    {
      name: 'smoke-knows-runtime-and-dryrun',
      severity: 'error',
      from: { path: '^src/smoke/' },
      to: { path: '^src/', pathNot: '^src/(debug|runtime|dryrun|smoke)/' },
    },
    {
      name: 'config-knows-what-it-configures',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: '^src/(debug|runtime|dryrun|smoke|config)/' },
    },
    {
      name: 'command-not-through-index',
      severity: 'error',
      comment: 'The command loads what it needs, not all of the public API.',
      from: { path: '^src/cli/' },
      to: { path: '^src/index[.]ts' },
    },
    {
      name: 'words-know-nobody',
      severity: 'error',
      from: { path: WORDS },
      to: { path: '^src/' },
    },
    room('lock'),
    // What to type to put a queue back holds paths.
    room('queue', ['in-shell[.]ts']),
    room('thread', ['processes/'], ['(hooks/hooks|running-tasks)[.]ts']),
    room(
      'pool',
      ['thread/', 'processes/', 'units[.]ts', 'queue/(contract|endings|generated-id)[.]ts'],
      ['looks-under-way[.]ts'],
    ),
    room('supervisor', ['queue/contract[.]ts']),
    room('control', ['(executor|status|monotonic)[.]ts']),
    room('processes'),
    room('health', ['processes/process-state[.]ts', '(status|thread-status|units|faults)[.]ts', 'queue/contract[.]ts']),
    {
      name: 'only-queue-knows-sql',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/runtime/queue/' },
      to: { path: 'better-sqlite3' },
    },
    {
      name: 'only-lock-knows-the-kernel',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/runtime/lock/' },
      to: { path: 'fs-native-extensions' },
    },
    {
      name: 'only-thread-runs-in-a-thread',
      severity: 'error',
      comment:
        'Code for worker threads lives in src/runtime/thread; src/runtime/pool starts them, and nothing but src/debug asks besides whether it is in one.',
      from: { path: '^src/', pathNot: '^src/(runtime/thread/|runtime/pool/thread-link[.]ts|debug/)' },
      to: { path: '^(node:)?worker_threads$' },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-what-is-installed-with-us',
      severity: 'error',
      comment: 'What src imports must be a dependency, not a devDependency or a guest of another package.',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        // Taken from the user's own folder, where there is one.
        pathNot: '^node_modules/tsx/',
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
