/** Modules that users write, loaded by their `file:` URL. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * What a module of JavaScript or TypeScript exports, by name.
 *
 * @throws Error when there is no such file, when nothing here runs TypeScript, and whatever the module itself throws
 */
export async function importModule(moduleUrl: string): Promise<Record<string, unknown>> {
  // Node's own words would name the importing file, which is ours.
  if (!existsSync(fileURLToPath(moduleUrl))) throw new Error('there is no such file');
  if (/^\.[mc]?ts$/.test(extname(new URL(moduleUrl).pathname))) await enableTypeScript(moduleUrl);
  return (await import(moduleUrl)) as Record<string, unknown>;
}

/** Node strips types from 22.18 on; before that, tsx does it if the user has installed it. */
async function enableTypeScript(moduleUrl: string): Promise<void> {
  if ((process.features as { typescript?: unknown }).typescript) return;
  const require = createRequire(moduleUrl);
  let manifest: string;
  try {
    manifest = require.resolve('tsx/package.json');
  } catch {
    throw new Error(
      `Node ${process.versions.node} does not run TypeScript by itself. ` +
        'Install tsx beside it (npm install --save-dev tsx), or use Node 22.18 or newer.',
    );
  }
  // A `.ts` file without `"type": "module"` near it is CommonJS to Node, so both loaders are needed.
  (require('tsx/cjs/api') as TsxApi).register();
  // `require.resolve` finds the CommonJS form of this one, which does not find its own parts (tsx 4.23).
  const { exports } = require(manifest) as { exports: { './esm/api': { import: { default: string } } } };
  const entry = new URL(exports['./esm/api'].import.default, pathToFileURL(manifest));
  ((await import(entry.href)) as TsxApi).register();
}

interface TsxApi {
  register(): unknown;
}
