#!/usr/bin/env bash
# picomatch, and with it tinyglobby, fast-glob and chokidar 3: `**` matches no part of a path with a line feed, a
# carriage return or U+2028 in it, where `*` does. So of a folder with such a name `**/*.txt` leaves
# out every file, without a word, and `**` alone leaves out macOS's `Icon\r`.
#
# picomatch 4.0.7, tinyglobby 0.2.17, Node 20.20, Linux.
# Seen, of: file.txt, folder/file.txt, "folder\n/file.txt", "folder\r/file.txt", "folder\u2028/file.txt", "Icon\r"
#   tinyglobby **/*.txt: file.txt, folder/file.txt
#   picomatch **/*.txt: file.txt, folder/file.txt
#   picomatch */*.txt: folder/file.txt, folder\n/file.txt, folder\r/file.txt, folder\u2028/file.txt
#   picomatch **: file.txt, folder/file.txt
set -uo pipefail
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
npm init -y > npm.log && npm install --no-audit --no-fund picomatch@4.0.7 tinyglobby@0.2.17 >> npm.log 2>&1 || { cat npm.log; exit 2; }

cat > main.mjs <<'JS'
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import picomatch from 'picomatch';
import { glob } from 'tinyglobby';
const names = ['file.txt', 'folder/file.txt', 'folder\n/file.txt', 'folder\r/file.txt', 'folder\u2028/file.txt', 'Icon\r'];
for (const name of names) {
  mkdirSync(join('files', dirname(name)), { recursive: true });
  writeFileSync(join('files', name), '');
}
const told = (found) => names.filter((name) => found.includes(name)).join(', ').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\u2028', '\\u2028');
console.log(`tinyglobby **/*.txt: ${told(await glob('**/*.txt', { cwd: 'files' }))}`);
for (const pattern of ['**/*.txt', '*/*.txt', '**']) console.log(`picomatch ${pattern}: ${told(names.filter((name) => picomatch.isMatch(name, pattern)))}`);
JS
seen=$(node main.mjs)
echo "$seen"
[ "$seen" = 'tinyglobby **/*.txt: file.txt, folder/file.txt
picomatch **/*.txt: file.txt, folder/file.txt
picomatch */*.txt: folder/file.txt, folder\n/file.txt, folder\r/file.txt, folder\u2028/file.txt
picomatch **: file.txt, folder/file.txt' ]
