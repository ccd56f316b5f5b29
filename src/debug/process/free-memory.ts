/** How much memory a process can still have before the system ends somebody for it. Only Linux shows that much. */
import { dirname, join, relative } from 'node:path';
import type { FreeMemory } from '../thread-view/memory-need.js';
import { textOf } from './target-process.js';

/** A hierarchy of control groups that counts memory, and the names that its files have there. */
interface Hierarchy {
  /** Where it is mounted, and which of its folders is seen there. */
  mount: string;
  root: string;
  limit: string;
  usage: string;
  /** Of `memory.stat`: what the kernel gives back when it is short of memory. */
  reclaimable: RegExp;
}

/**
 * The least of what the machine has, and each control group that the process
 * is in; `undefined` where nothing tells.
 */
export function freeMemory(pid: number): FreeMemory | undefined {
  const found = [ofMachine(), ...ofGroups(pid)].filter((free) => free !== undefined);
  return found.toSorted((one, other) => one.bytes - other.bytes)[0];
}

function ofMachine(): FreeMemory | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf('/proc/meminfo'))?.[1];
  return kilobytes === undefined ? undefined : { bytes: Number(kilobytes) * 1024, where: 'on this machine' };
}

function ofGroups(pid: number): (FreeMemory | undefined)[] {
  const groups = textOf(`/proc/${pid}/cgroup`);
  return [
    ofGroup(/^0::(.*)$/m.exec(groups)?.[1], {
      ...mountOf(/ - cgroup2 /),
      limit: 'memory.max',
      usage: 'memory.current',
      reclaimable: /^inactive_file (\d+)$/m,
    }),
    ofGroup(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1], {
      ...mountOf(/ - cgroup \S+ (?:\S*,)?memory(?:,|$)/),
      limit: 'memory.limit_in_bytes',
      usage: 'memory.usage_in_bytes',
      reclaimable: /^total_inactive_file (\d+)$/m,
    }),
  ].flat();
}

/** `mount` is empty where it is not mounted. */
function mountOf(kind: RegExp): Pick<Hierarchy, 'mount' | 'root'> {
  const line = textOf('/proc/self/mountinfo')
    .split('\n')
    .find((each) => kind.test(each));
  const [, , , root = '', mount = ''] = line?.split(' ') ?? [];
  return { mount, root };
}

/** Of a group, and of each above it: a limit there holds for all below. */
function ofGroup(group: string | undefined, hierarchy: Hierarchy): FreeMemory[] {
  const { mount, root } = hierarchy;
  if (group === undefined || mount === '') return [];
  const below = relative(root, group);
  const free: FreeMemory[] = [];
  // In a container the path may lead out of what is seen there: then what is seen is its own.
  for (let path = below.startsWith('..') ? '' : below; ; path = dirname(path)) {
    const bytes = freeIn(join(mount, path), hierarchy);
    if (bytes !== undefined) free.push({ bytes, where: 'in its control group' });
    if (path === '' || path === '.') return free;
  }
}

function freeIn(folder: string, { limit, usage, reclaimable }: Hierarchy): number | undefined {
  const most = Number(textOf(join(folder, limit)).trim() || Number.NaN);
  // `max`, and what cgroup v1 has for it: more than any machine has.
  if (!Number.isSafeInteger(most)) return undefined;
  const used = Number(textOf(join(folder, usage)).trim() || Number.NaN);
  if (Number.isNaN(used)) return undefined;
  const back = Number(reclaimable.exec(textOf(join(folder, 'memory.stat')))?.[1] ?? 0);
  return Math.max(0, most - used + back);
}
