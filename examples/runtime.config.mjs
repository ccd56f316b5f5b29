// A config file as a module. Try it:
//   runtime config check examples/runtime.config.mjs
//   runtime smoke --config examples/runtime.config.mjs
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'holdfast';

export default defineConfig({
  run: { threads: 2, timeout: '30s', retries: 1 },
  dryRun: { pattern: 'burst', rate: 500, duration: '5s' },
  smoke: {
    timeout: '5s',
    threads: 1,
    handler: './checksum.mjs',
    // What the handler gets: here, one path.
    eventSource: () => [fileURLToPath(import.meta.url)],
    postConditions: [
      {
        name: 'checksum made',
        expected: '64 hexadecimal digits',
        check: ({ outcomes: [outcome] }) => {
          const { sha256 } = outcome?.result ?? {};
          return { ok: /^[0-9a-f]{64}$/.test(sha256), actual: String(sha256) };
        },
      },
    ],
  },
});
