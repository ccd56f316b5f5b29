import { basename } from 'node:path';
import type { AwaitBranch, Place, ThreadInspection } from '../../dist/debug/inspection.js';

/** What a thread awaits, a line for each branch and leaf: short enough to be asserted whole. */
export function outlineOf({ awaits }: Pick<ThreadInspection, 'awaits'>): string[] {
  return awaits.flatMap((branch) => linesOf(branch, ''));
}

function linesOf(branch: AwaitBranch, indent: string): string[] {
  const { name, at, via, count, tasks = [], circular } = branch;
  const ids = tasks.map(({ id }) => ` task ${id}`).join('');
  const line = `${indent}${via.map((step) => `${step} > `).join('')}${name || '(anonymous)'} ${placeText(at)}${times(count)}${ids}${circular ? ' circular' : ''}`;
  const leaves = branch.leaves.map((leaf) => {
    const steps = leaf.via.map((step) => `${step} > `).join('');
    return `${indent}  ${steps}${leaf.what.replace(/(due in|overdue by) .*/, '$1 …')}${times(leaf.count)}`;
  });
  return [line, ...branch.children.flatMap((child) => linesOf(child, `${indent}  `)), ...leaves];
}

export function placeText(place: Place | null): string {
  return place === null ? '?' : `${basename(place.file)}:${place.line}:${place.column}`;
}

function times(count: number): string {
  return count === 1 ? '' : ` x${count}`;
}
