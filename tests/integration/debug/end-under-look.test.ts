import { expect } from 'vitest';
import { longTest } from '../../support/long.js';
import { program } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';

longTest('threads that are ended while the process looks at them, end', async () => {
  const { said, code, signal } = await program(
    `
    import { inspectSelf } from ${JSON.stringify(new URL('../../../dist/debug/inspect-self.js', import.meta.url).href)};
    const executor = await open({ threads: 2, durable: false });
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 4 }, (_, n) => executor.submit('echo', n)));
      const look = inspectSelf();
      // At another instant of the look each time.
      await new Promise((resolve) => setTimeout(resolve, 30 * round));
      await executor.scale(1);
      await look;
      await executor.scale(2);
    }
    const look = inspectSelf();
    await executor.stop();
    say('stopped');
    await look;
    say('looked');
  `,
    { dir: tempDir() },
  );
  expect(said).toEqual(['stopped', 'looked']);
  expect([code, signal]).toEqual([0, null]);
});
