/**
 * What `npm start` runs: the checksum of a file, and what the file would weigh
 * compressed. Plain CPU work, which blocks its own thread and no other.
 *
 *   runtime run examples/checksum.mjs --each 'docs/*.md'
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** @param {string} path from the working directory */
export default function checksum(path) {
  const content = readFileSync(path);
  return {
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
    gzip: gzipSync(content, { level: constants.Z_BEST_COMPRESSION }).length,
    brotli: brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length,
  };
}
