import { defineConfig } from 'vitest/config';

// Tests import from `dist`: worker threads and child processes need JavaScript
// files, and what is tested is then what is published.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/support/coverage.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Loaded by Node itself: rewritten by vite, it would no longer match its source map in the coverage report.
    server: { deps: { external: [/\/dist\//] } },
  },
});
