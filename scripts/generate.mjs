// @ts-check
/** Writes anew what is made from the tables of options and from docstrings: `npm run generate`, after `npm run build`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generated, ROOT } from './generate/generated.mjs';

for (const [file, content] of generated()) writeFileSync(join(ROOT, file), content);
execFileSync(process.execPath, [join(ROOT, 'scripts/api.mjs')], { stdio: 'inherit' });
execFileSync('npx', ['oxfmt', 'config.schema.json'], { cwd: ROOT, stdio: 'inherit' });
