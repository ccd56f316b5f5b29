/**
 * Who may import whom, as docs/architecture.md draws it. Floors see only those
 * below them:
 *
 *   base <- system <- options <- debug <- runtime <- runs <- dryrun <- smoke <- dashboard <- config <- cli
 */
const FLOORS = ['base', 'system', 'options', 'debug', 'runtime', 'runs', 'dryrun', 'smoke', 'dashboard', 'config'];

/** A floor knows itself and what lies below it. */
const floors = FLOORS.map((name, level) => ({
  name: `${name}-looks-down`,
  severity: 'error',
  comment: `src/${name} imports ${FLOORS.slice(0, level + 1).join(', ')} alone`,
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${FLOORS.slice(0, level + 1).join('|')})/` },
}));

/** A room of the runtime knows base, system, itself, and those parts of `others` and of `debug`. */
const room = (name, others = [], debug = []) => ({
  name: `${name}-knows-its-place`,
  severity: 'error',
  comment: `src/runtime/${name} imports base, system, and of the rest ${[...others, ...debug].join(', ') || 'nothing'}`,
  from: { path: `^src/runtime/${name}/` },
  to: {
    path: '^src/',
    pathNot: [
      '^src/(base|system)/',
      `^src/runtime/${name}/`,
      ...others.map((other) => `^src/runtime/${other}`),
      ...debug.map((part) => `^src/debug/${part}`),
    ],
  },
});

/** The words of a task. */
const TASK = 'task/task[.]ts';

/** Only files there may import a package. */
const alone = (name, where, what, comment) => ({
  name,
  severity: 'error',
  ...(comment && { comment }),
  from: { path: '^src/', pathNot: where },
  to: { path: what },
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
    ...floors,
    {
      name: 'command-not-through-index',
      severity: 'error',
      comment: 'The command loads what it needs, not all of the public API.',
      from: { path: '^src/cli/' },
      to: { path: '^src/(index|testing)[.]ts' },
    },
    {
      name: 'stores-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/runtime/queue/(memory|sqlite)/' },
      to: { path: '^src/runtime/queue/(memory|sqlite)/', pathNot: '^src/runtime/queue/$1/' },
    },
    {
      name: 'only-open-queue-knows-the-stores',
      severity: 'error',
      comment: 'Who uses a queue asks for its traits, not which store it is.',
      from: { path: '^src/', pathNot: '^src/runtime/queue/((open-queue|keep-store)[.]ts|memory/|sqlite/)' },
      to: { path: '^src/runtime/queue/(memory|sqlite)/' },
    },
    {
      name: 'only-a-keeper-opens-a-store',
      severity: 'error',
      comment: 'What has a store on disk open loads no module of the user: neither executor nor thread.',
      from: { path: '^src/', pathNot: '^src/(cli/run/run-keeper|runtime/queue/keeper/keeper-process)[.]ts' },
      to: { path: '^src/runtime/queue/keep-store[.]ts' },
    },
    {
      name: 'dashboard-knows-readers-alone',
      severity: 'error',
      comment: 'A view is made from what a run shows to everybody.',
      from: { path: '^src/dashboard/' },
      to: {
        path: '^src/',
        pathNot: '^src/(base/|dashboard/|runs/see-run[.]ts|runtime/(status|thread-status|task/task)[.]ts)',
      },
    },
    // Codec and classes of errors are used in threads, too: they call our own copies of builtins there.
    room('task', ['queue/(contract|generated-id)[.]ts', 'thread/(own|context)[.]ts']),
    // A keeper is a survivor as the reaper is: neither is a child of a task.
    room('queue', [TASK, 'processes/marker[.]ts']),
    room('thread', ['processes/', 'task/'], ['(hooks/hooks|running-tasks)[.]ts']),
    room(
      'pool',
      [TASK, 'thread/', 'processes/', 'queue/(contract|endings|generated-id|refusals)[.]ts'],
      ['looks-under-way[.]ts'],
    ),
    room('supervisor', ['queue/contract[.]ts']),
    room('control', ['status[.]ts', TASK, 'queue/contract[.]ts']),
    room('processes'),
    room('health', [TASK, '(status|thread-status)[.]ts']),
    alone('only-stores-know-sql', '^src/runtime/queue/sqlite/', 'better-sqlite3'),
    alone('only-lock-knows-the-kernel', '^src/system/lock/', 'fs-native-extensions'),
    alone(
      'only-thread-runs-in-a-thread',
      '^src/(runtime/thread/|runtime/pool/thread/thread-link[.]ts|debug/)',
      '^(node:)?worker_threads$',
      'Code for worker threads lives in src/runtime/thread; src/runtime/pool starts them, and nothing but src/debug asks besides whether it is in one.',
    ),
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
