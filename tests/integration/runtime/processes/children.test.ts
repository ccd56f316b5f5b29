/** Whose processes are found and ended, and whose are not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endChildren, type Group } from '../../../../dist/runtime/processes/children.js';
import { marked } from '../../../../dist/runtime/processes/marker.js';
import { processState } from '../../../../dist/system/process-state.js';

/** A process that leads a group of its own, with that mark in its environment. */
async function started(mark?: string): Promise<{ pid: number; group: Group; ended: () => boolean }> {
  const child = spawn('sleep', ['300'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...(mark !== undefined && marked(mark, undefined)) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid!;
  const group = { id: pid, startTicks: processState(pid)!.startTicks };
  return { pid, group, ended: () => [undefined, 'Z'].includes(processState(pid)?.letter) };
}

describe.skipIf(process.platform !== 'linux')('children of a task', () => {
  test('are those in its groups and those with its mark; others are left alone', async () => {
    const [inGroup, withMark, ofOther, ofLonger] = await Promise.all([
      started(),
      started('abc.1.2'),
      started('abc.1.3'),
      started('abc.1.20'),
    ]);
    const { asked, left } = await endChildren({ mark: 'abc.1.2', groups: [inGroup.group] }, 1000);
    expect(asked.map(({ pid }) => pid).toSorted()).toEqual([inGroup.pid, withMark.pid].toSorted());
    expect(left).toEqual([]);
    expect([inGroup, withMark, ofOther, ofLonger].map((one) => one.ended())).toEqual([true, true, false, false]);
  });

  test('are those of all its tasks where a thread, or the executor, is meant', async () => {
    const ofTasks = await Promise.all([started('abd.1.1'), started('abd.1.2')]);
    const ofOtherThread = await started('abd.2.1');
    await endChildren({ mark: 'abd.1', groups: [] }, 1000);
    expect(ofTasks.map((one) => one.ended())).toEqual([true, true]);
    expect(ofOtherThread.ended()).toBe(false);
    await endChildren({ mark: 'abd', groups: [] }, 1000);
    expect(ofOtherThread.ended()).toBe(true);
  });

  test('are not those of a process that has the number of one that is gone', async () => {
    const stranger = await started();
    const group = { ...stranger.group, startTicks: stranger.group.startTicks - 1 };
    expect(await endChildren({ mark: 'abe', groups: [group] }, 0)).toEqual({ asked: [], left: [] });
    expect(stranger.ended()).toBe(false);
  });

  test('of a run within a run are found by either of them', async () => {
    const inner = marked('inner.1.1', marked('outer.1.1', undefined)['HOLDFAST_TASK'])['HOLDFAST_TASK']!;
    const [one, other] = await Promise.all([started(inner), started(inner)]);
    const byInner = await endChildren({ mark: 'inner.1', groups: [one.group], sinceTicks: one.group.startTicks }, 1000);
    expect(byInner.left).toEqual([]);
    expect([one, other].map((each) => each.ended())).toEqual([true, true]);
    const last = await started(inner);
    await endChildren({ mark: 'outer', groups: [] }, 1000);
    expect(last.ended()).toBe(true);
  });

  test('hear of it also when they are stopped', async () => {
    const child = await started('abf.1.1');
    process.kill(child.pid, 'SIGSTOP');
    await endChildren({ mark: 'abf', groups: [] }, 10_000);
    expect(child.ended()).toBe(true);
  });
});
