import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { FUZZ_FACTOR } from './tests/support/runs.js';

/**
 * What a test may take, in ms. Most take less than a second; a machine that is
 * slow and busy has taken twenty times as long, and is no fault of theirs.
 */
const LIMIT_MS = 60_000 * FUZZ_FACTOR;

// Tests import from `dist`: worker threads and child processes need JavaScript
// files, and what is tested is then what is published.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/support/coverage.ts'],
    pool: 'forks',
    // Most tests wait: for processes that they have started, for beats, for deadlines.
    maxWorkers: 2 * availableParallelism(),
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
    // Loaded by Node itself: rewritten by vite, it would no longer match its source map in the coverage report.
    server: { deps: { external: [/\/dist\//] } },
  },
});
