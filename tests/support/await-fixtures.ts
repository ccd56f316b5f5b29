/** Trees of functions that wait, in `tests/fixtures/awaits`, as lines to be asserted whole. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { analyseHeap } from '../../dist/debug/await/analyse-heap.js';
import type { HeapBranch, HeapFindings, HeapLeaf } from '../../dist/debug/await/findings.js';
import type { NodeProgram } from './node-versions.js';
import { tempDir } from './temp-dir.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/awaits');

/** What the heap of a process tells that has called all functions of a module of fixtures. */
export async function findingsOf(module: string, node: NodeProgram): Promise<HeapFindings> {
  const dir = tempDir();
  const path = join(dir, 'fixtures.heapsnapshot');
  execFileSync('mkfifo', ['-m', '600', join(dir, 'fifo')]);
  mkdirSync(join(dir, 'folder'));
  const env = {
    ...process.env,
    NODE_V8_COVERAGE: '',
    FIFO: join(dir, 'fifo'),
    FOLDER: join(dir, 'folder'),
    // Each read that never returns takes a thread.
    UV_THREADPOOL_SIZE: '16',
  };
  const child = spawn(node.path, [join(FIXTURES, 'snapshot.mjs'), module, path], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  await once(child, 'close');
  if (!existsSync(path)) throw new Error(`no snapshot was written: ${stderr}`);
  return analyseHeap(path);
}

/** The tree of each function of a module of fixtures, in the order of its code; functions of Node are left out. */
export function treesOf(module: string, { branches }: HeapFindings): string[] {
  const source = readFileSync(join(FIXTURES, `${module}.mjs`), 'utf8').split('\n');
  const script = scriptOf(branches, source);
  const outline = new Outline(source, script);
  return branches
    .filter(({ definedAt }) => definedAt?.scriptId === script)
    .flatMap((branch) => outline.branch(branch, []));
}

/**
 * Lines as they are expected. `{a|b}` in those stands for one of both, where Node's versions differ: what fits is
 * given as it is expected, so that a comparison shows only what does not.
 */
export function fitted(actual: readonly string[], expected: readonly string[]): readonly string[] {
  return actual.map((line, index) => {
    const pattern = (expected[index] ?? '').replace(/[.*+?^$()[\]\\]/g, '\\$&').replace(/\{([^}]*)\}/g, '($1)');
    return new RegExp(`^${pattern}$`).test(line) ? expected[index]! : line;
  });
}

/** A text of several lines, without its first and last and what is before each. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n').slice(1, -1);
  const indent = /^ */.exec(lines[0]!)![0].length;
  return lines.map((line) => line.slice(indent));
}

/** That script of which most branches are written where the source has a function of that name. */
function scriptOf(branches: readonly HeapBranch[], source: readonly string[]): number {
  const votes = new Map<number, number>();
  for (const { name, definedAt } of branches) {
    if (definedAt === undefined || !source[definedAt.line]?.includes(`function ${name}(`)) continue;
    votes.set(definedAt.scriptId, (votes.get(definedAt.scriptId) ?? 0) + 1);
  }
  return [...votes].sort(([, one], [, other]) => other - one)[0]![0];
}

class Outline {
  readonly #source: readonly string[];
  readonly #script: number;

  constructor(source: readonly string[], script: number) {
    this.#source = source;
    this.#script = script;
  }

  branch(branch: HeapBranch, above: readonly string[]): string[] {
    const via = [...above, ...branch.via];
    const { name, count, omitted, circular, leaves, children, definedAt } = branch;
    const isInternal = definedAt?.scriptId !== this.#script;
    const below = isInternal ? via : [];
    const lines = [
      ...leaves.map((leaf) => this.#leaf(leaf, below)),
      ...children.flatMap((child) => this.branch(child, below)),
    ];
    if (isInternal) return lines;
    const written = name.split('.').at(-1)!;
    if (!this.#source[definedAt.line]!.includes(written))
      throw new Error(`${name} is not written at ${definedAt.line}`);
    const notes = [
      count > 1 ? `x${count}` : '',
      omitted === undefined ? '' : `+${omitted}`,
      circular ? 'circular' : '',
    ];
    const line = [...via.map((step) => `${step} >`), name || '(nameless)', ...notes].filter(Boolean).join(' ');
    return [line, ...lines.map((text) => `  ${text}`)];
  }

  #leaf(
    { kind, count, via, className, objects, timer, event, url, path, heldAs, heldBy, heldAt }: HeapLeaf,
    above: readonly string[],
  ): string {
    const isThing = kind !== 'promise' && className !== '';
    if (isThing && objects.length !== Math.min(count, 20))
      throw new Error(`${objects.length} objects of ${count} ${kind}s`);
    const steps = [...above, ...via].map((step) => `${step} >`);
    const details = [
      timer && (timer.startedAt >= 0 ? `${timer.afterMs}ms` : 'never started'),
      event && `"${event}"`,
      url?.replace(/:\d+/, ':port'),
      path,
      heldAs && `held as ${heldAs}`,
      heldBy && `by ${heldBy}`,
      heldAt && (heldAt.scriptId === this.#script ? `in: ${this.#source[heldAt.line]!.trim()}` : 'elsewhere'),
    ];
    return ['-', ...steps, kind, className, count > 1 ? `x${count}` : '', ...details].filter(Boolean).join(' ');
  }
}
