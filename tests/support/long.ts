import { test } from 'vitest';
import type { TestContext } from 'vitest';

const long = test.skipIf(!process.env['LONG_TESTS']);

/**
 * A test that takes long, or that a shorter one stands for: `npm run test:long` runs these and no others,
 * `npm test` skips them.
 */
export function longTest(title: string, body: (context: TestContext) => unknown): void {
  long(`(long) ${title}`, body);
}

type Scalar = string | number;
type Arguments<Row> = Row extends Scalar ? [row: Row] : Extract<Row, readonly unknown[]>;

/** As `test.each`, of rows that are much the same: the first ones stand for the others, which are long tests. */
export function longTestAfter<Row extends Scalar | readonly unknown[] | [unknown]>(
  count: number,
  rows: readonly Row[],
): (title: string, body: (...row: Arguments<Row>) => unknown) => void {
  return (title, body) => {
    const each = body as (...row: unknown[]) => Promise<void>;
    test.each(rows.slice(0, count) as unknown[])(title, each);
    long.each(rows.slice(count) as unknown[])(`(long) ${title}`, each);
  };
}
