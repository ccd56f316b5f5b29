import { test } from 'vitest';

/**
 * A test that takes long, or that a shorter one stands for: `npm run test:long` runs these and no others,
 * `npm test` skips them.
 */
export function longTest(title: string, body: () => Promise<void>): void {
  test.skipIf(!process.env['LONG_TESTS'])(`(long) ${title}`, body);
}
