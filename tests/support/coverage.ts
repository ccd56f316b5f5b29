import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

// The processes of vitest do not live to write what Node counted in them
// (see scripts/coverage.mjs). Without NODE_V8_COVERAGE this does nothing.
afterAll(() => takeCoverage());
