import { expect, test } from 'vitest';
import { refuseTooNew } from '../../../../../../dist/runtime/queue/sqlite/file/driver.js';

test('a driver that is for a newer Node is refused in words, before it is loaded', () => {
  expect(() => refuseTooNew('13.2.0', '20.20.2')).toThrow(
    expect.objectContaining({
      code: 'ERR_QUEUE_DRIVER',
      message: 'better-sqlite3 13.2.0 is for Node 22 and newer, and this is 20.20.2',
      hint: expect.stringContaining('npm install better-sqlite3@12') as string,
    }),
  );
});

test.each([
  ['12.11.1', '20.19.0'],
  ['12.11.1', '24.21.0'],
  ['13.2.0', '22.23.3'],
  ['13.2.0', '26.10.0'],
])('version %s works on Node %s', (driver, node) => {
  expect(() => refuseTooNew(driver, node)).not.toThrow();
});
