import { describe, expect, test } from 'vitest';
import { inspectProcess } from '../../../dist/debug/inspect-process.js';
import { inspectSelf } from '../../../dist/debug/inspect-self.js';
import { limitFor } from '../../../dist/debug/max-pause.js';
import { parseDuration } from '../../../dist/base/units.js';
import { rejection } from '../../support/executors.js';

describe('a limit for the pause', () => {
  test.each([-1, Number.NaN, '5s', null])(
    'that is no time, such as %j, is refused before anything is looked at',
    async (maxPauseMs) => {
      for (const look of [inspectSelf, (options: object) => inspectProcess(process.pid, options)]) {
        expect(await rejection(look({ maxPauseMs } as never))).toMatchObject({
          code: 'ERR_INVALID_OPTIONS',
          faults: [{ where: 'maxPauseMs', problem: expect.stringContaining('must be milliseconds, from 0, got ') }],
        });
      }
    },
  );

  test('that is recommended leaves room above the prediction, in what flags and variables can read', () => {
    for (const predictedMs of [1, 251, 900, 4_999, 100_000]) {
      expect(parseDuration(limitFor(predictedMs))).toBeGreaterThanOrEqual(predictedMs * 1.5);
    }
    expect(limitFor(251)).toBe('1s');
  });
});
