import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockPath } from '../../../support/lock-place.js';
import { LockProcess } from '../../../support/lock-process.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const PROCESSES = 5;
const KILLS = 8;

test(
  'never two at once: processes that acquire, release and are killed in the middle',
  { timeout: 60_000 },
  async () => {
    const path = lockPath();
    const evidence = join(tempDir(), 'evidence');
    writeFileSync(evidence, '');
    const lines = () => readFileSync(evidence, 'utf8').split('\n').slice(0, -1);
    const killed = new Set<string>();
    const workers = new Set<LockProcess>();
    onTestFinished(() => workers.forEach((worker) => worker.signal('SIGKILL')));
    const startOne = async () => {
      const worker = await LockProcess.start(path);
      workers.add(worker);
      const work = worker.call('work', evidence);
      return { worker, work };
    };
    let team = await Promise.all(Array.from({ length: PROCESSES }, startOne));

    for (let kill = 0; kill < KILLS; kill++) {
      const sections = lines().length;
      await waitFor('the lock to go round', () => lines().length > sections + 40, 30_000);
      // The one in the critical section, as far as can be seen, else anyone.
      const [action, pid] = lines().at(-1)!.split(' ');
      const inside = action === 'enter' ? team.find(({ worker }) => String(worker.pid) === pid) : undefined;
      const victim = inside ?? team[kill % PROCESSES]!;
      killed.add(String(victim.worker.pid));
      await victim.worker.end('SIGKILL');
      workers.delete(victim.worker);
      team = [...team.filter((member) => member !== victim), await startOne()];
    }
    await Promise.all(team.map(({ worker }) => worker.call('stop')));
    await Promise.all(team.map(({ work }) => work));

    const all = lines();
    const overlaps: string[] = [];
    let inside: string | undefined;
    for (const [index, line] of all.entries()) {
      const [action, pid] = line.split(' ') as [string, string];
      if (action === 'enter') {
        // Whoever is still inside must have died there, and be silent for ever.
        const silent =
          inside !== undefined && killed.has(inside) && !all.slice(index).some((later) => later.endsWith(` ${inside}`));
        if (inside !== undefined && !silent) overlaps.push(`line ${index + 1}: ${pid} entered, ${inside} was inside`);
        inside = pid;
      } else if (action === 'leave') {
        if (inside !== pid) overlaps.push(`line ${index + 1}: ${pid} left, ${inside} was inside`);
        inside = undefined;
      } else {
        overlaps.push(line);
      }
    }
    expect(overlaps).toEqual([]);
    expect(killed.size).toBe(KILLS);
    expect(all.length).toBeGreaterThan(KILLS * 40);
  },
);
