/** `npm test` tries this very Node alone, `npm run test:nodes` the others. */
import { test } from 'vitest';
import { findOtherNodes } from '../../scripts/other-nodes.mjs';
import type { Found, NodeProgram } from '../../scripts/other-nodes.mjs';

export type { NodeProgram };

const WANTS_OTHERS = Boolean(process.env['OTHER_NODES']);

/** Those that can be had; none without `OTHER_NODES`. */
export async function otherNodes(): Promise<NodeProgram[]> {
  return WANTS_OTHERS ? (await findOtherNodes()).filter((found) => 'path' in found) : [];
}

/** The test on this Node, or with `OTHER_NODES` on each of the others. One that cannot be had is skipped, and its title says why. */
export async function onEveryNode(title: string, body: (node: NodeProgram) => Promise<void>): Promise<void> {
  const own: Found[] = [{ version: process.versions.node, path: process.execPath }];
  for (const node of WANTS_OTHERS ? await findOtherNodes() : own) {
    if ('path' in node) test(`${title} (Node ${node.version})`, () => body(node));
    else test.skip(`${title} (Node ${node.major}): ${node.missing}`, () => {});
  }
}
