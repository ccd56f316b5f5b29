import { beforeEach, describe, expect, test } from 'vitest';
import {
  checkExecutors,
  checkLock,
  checkOutcomes,
  checkResults,
  Faults,
  OutcomeHistory,
} from '../../../scripts/chaos/checker.mjs';
import type { LockSpan, RecordedOutcome } from '../../../scripts/chaos/checker.mjs';
import type { EvidenceLine } from '../../../scripts/chaos/evidence.mjs';

/** Executors 1 and 2 of an honest run: the first was killed in the middle of task c. */
const honest: EvidenceLine[] = [
  line('start', 'a', 1, 10),
  line('end', 'a', 1, 20),
  line('start', 'b', 1, 21),
  line('start', 'c', 1, 22),
  line('end', 'b', 1, 30),
  line('start', 'c', 2, 50),
  line('start', 'd', 2, 51),
  line('end', 'c', 2, 60),
  line('end', 'd', 2, 61),
];
const recorded = [outcome('a', 1, 1, 20), outcome('b', 2, 1, 30), outcome('c', 3, 2, 60), outcome('d', 4, 2, 61)];
const tasks = new Map(['a', 'b', 'c', 'd'].map((id) => [id, answerOf(id)]));

function line(kind: 'start' | 'end', task: string, token: number, at: number): EvidenceLine {
  return { kind, task, token, at, pid: 100 + token, thread: 1, attempt: 1 };
}

function answerOf(id: string): number {
  return id.charCodeAt(0);
}

function outcome(id: string, ordinal: number, token: number, at: number): RecordedOutcome {
  const result = { answer: answerOf(id), token, at };
  return { id, ordinal, state: 'done', content: JSON.stringify({ id, result }), result };
}

let faults: Faults;
beforeEach(() => {
  faults = new Faults();
});

/** Checks everything that can be told from the evidence and the outcomes. */
function check(lines: EvidenceLine[], outcomes = recorded): string[] {
  checkOutcomes(faults, { tasks, outcomes, lines });
  checkExecutors(faults, lines, outcomes);
  return faults.lines();
}

test('an honest run has no fault, though a task of it ran twice', () => {
  expect(check(honest)).toEqual([]);
});

describe('outcomes', () => {
  test('a task without an outcome is a fault', () => {
    expect(check(honest, recorded.slice(0, 3))).toEqual(['one outcome a task: d has none']);
  });

  test('an outcome of a task that was never given is a fault', () => {
    const stranger = outcome('e', 5, 2, 62);
    expect(check([...honest, line('start', 'e', 2, 61), line('end', 'e', 2, 62)], [...recorded, stranger])).toEqual([
      'one outcome a task: e was never given',
    ]);
  });

  test.each(['failed', 'crashed', 'timed-out', 'cancelled'])(
    'a task that ended %s is a fault: none deserved it',
    (state) => {
      const [first, ...rest] = recorded as [RecordedOutcome, ...RecordedOutcome[]];
      expect(check(honest, [{ ...first, state, result: undefined }, ...rest])).toEqual([
        expect.stringContaining(`the innocent end done: a is ${state}`),
      ]);
    },
  );

  test('an outcome with a wrong answer is a fault', () => {
    const [first, ...rest] = recorded as [RecordedOutcome, ...RecordedOutcome[]];
    const wrong = { ...first, result: { ...first.result!, answer: 1 } };
    expect(check(honest, [wrong, ...rest])).toEqual([expect.stringContaining('outcomes are true: a came to')]);
  });

  test('an outcome of an attempt that never came to its end is a fault', () => {
    const unended = honest.filter(({ kind, task }) => kind === 'start' || task !== 'd');
    expect(check(unended)).toEqual([expect.stringContaining('outcomes are true: d: no attempt ended')]);
  });

  test('an outcome that claims another executor than its attempt had is a fault', () => {
    expect(check(honest, [outcome('a', 1, 2, 20), ...recorded.slice(1)])).toEqual([
      expect.stringContaining('outcomes are true: a: no attempt ended'),
    ]);
  });
});

describe('snapshots', () => {
  let history: OutcomeHistory;
  beforeEach(() => {
    history = new OutcomeHistory(faults);
    history.observe('after kill 1', recorded.slice(0, 2), 'all');
  });

  test('outcomes that come later, and stay as they are, are no fault', () => {
    history.observe('after kill 2', recorded.slice(2, 3), 'newest');
    history.observe('at the end', recorded, 'all');
    expect(faults.lines()).toEqual([]);
  });

  test('two outcomes of one task are a fault', () => {
    history.observe('at the end', [...recorded, outcome('b', 5, 2, 70)], 'all');
    expect(faults.lines()).toContain('one outcome a task: b has two outcomes at the end');
  });

  test('two outcomes with one ordinal are a fault', () => {
    history.observe('at the end', [...recorded.slice(0, 3), outcome('d', 3, 2, 61)], 'all');
    expect(faults.lines()).toEqual(['one outcome a task: d and c share ordinal 3 at the end']);
  });

  test.each([
    ['content', outcome('b', 2, 2, 61)],
    ['ordinal', outcome('b', 9, 1, 30)],
  ])('an outcome whose %s changed is a fault, and told with both', (_, changed) => {
    history.observe('at the end', [recorded[0]!, changed], 'all');
    expect(faults.lines()).toEqual([
      `no outcome changes: b was 2 ${recorded[1]!.content} after kill 1, ${changed.ordinal} ${changed.content} at the end`,
    ]);
  });

  test('an outcome that vanished is a fault', () => {
    history.observe('after kill 2', recorded.slice(0, 1), 'all');
    expect(faults.lines()).toEqual(['no outcome changes: b had an outcome after kill 1, and none after kill 2']);
  });

  test('an outcome that changed and changed back is a fault all the same', () => {
    history.observe('after kill 2', [outcome('a', 1, 2, 99)], 'newest');
    history.observe('at the end', recorded, 'all');
    expect(faults.count).toBe(1);
  });
});

describe('executors', () => {
  test('a line of an older executor after the first one of a newer is a fault, start or end', () => {
    const late = [...honest, line('start', 'x', 1, 49)];
    expect(check(late)).toEqual([expect.stringContaining('one executor at a time: start of x at 49 under executor 1')]);
    faults = new Faults();
    expect(check([...honest, line('end', 'c', 1, 49)])).toEqual([
      expect.stringContaining('one executor at a time: end of c at 49 under executor 1'),
    ]);
  });

  test('two executors that take turns are a fault at every turn back', () => {
    const takingTurns = honest.map((each, index) => (index % 2 === 0 ? each : { ...each, token: 3, pid: 103 }));
    checkExecutors(faults, takingTurns, []);
    expect(faults.count).toBeGreaterThanOrEqual(4);
  });

  test('an overlap that only the clock shows is a fault', () => {
    const lines = honest.map((each) => (each.task === 'b' && each.kind === 'end' ? { ...each, at: 55 } : each));
    checkExecutors(faults, lines, []);
    expect(faults.lines()).toEqual([
      'one executor at a time: end of b at 55 under executor 1 (process 101) is later than the first line of the next executor',
    ]);
  });

  test('two processes with one epoch are a fault', () => {
    const lines = honest.map((each) => (each.task === 'd' ? { ...each, pid: 777 } : each));
    expect(check(lines)[0]).toMatch(/^one executor at a time: start of d .*process 777\), which was process 102$/);
  });

  test('a task that one executor ran twice is a fault', () => {
    const twice = [...honest, line('start', 'c', 2, 70), line('end', 'c', 2, 71)];
    expect(check(twice)).toEqual([
      expect.stringMatching(/^one attempt an executor: start of c at 70 .* a second time$/),
      expect.stringMatching(/^one attempt an executor: end of c at 71 .* a second time$/),
    ]);
  });

  test('an end without a start is a fault', () => {
    expect(check(honest.filter(({ kind, task }) => kind === 'end' || task !== 'a'))).toEqual([
      expect.stringMatching(/^one attempt an executor: end of a .* unstarted$/),
    ]);
  });

  test('a task that runs again after its outcome was recorded is a fault', () => {
    expect(check([...honest, line('start', 'a', 2, 70)])).toEqual([
      expect.stringMatching(/^what is recorded is not run again: start of a at 70 .* done under 1$/),
    ]);
  });
});

describe('the lock', () => {
  const span = (holder: number | null, from: number, to: number): LockSpan => ({
    holder,
    from,
    to,
    looks: 1 + to - from,
  });
  const lives = [
    { pid: 7, killedAt: 40 },
    { pid: 8, killedAt: undefined },
  ];

  test('a lock that goes from a dead supervisor to the next, and is let go at the end, has no fault', () => {
    checkLock(
      faults,
      [span(null, 0, 4), span(7, 5, 45), span(null, 46, 50), span(8, 51, 90), span(null, 91, 99)],
      lives,
    );
    expect(faults.lines()).toEqual([]);
  });

  test('a lock that is free while its supervisor lives is a fault', () => {
    checkLock(faults, [span(7, 5, 20), span(null, 21, 21), span(7, 22, 45), span(8, 51, 90)], lives);
    expect(faults.lines()).toEqual([
      'the lock is never free: the lock was free at 21, while supervisor 7 lived (until 40)',
    ]);
  });

  test('a lock that is free before the end of a supervisor which nobody killed is a fault', () => {
    checkLock(faults, [span(8, 51, 70), span(null, 71, 72), span(8, 73, 90), span(null, 91, 99)], lives);
    expect(faults.count).toBe(1);
  });

  test('a second holder beside a living supervisor is a fault', () => {
    checkLock(faults, [span(7, 5, 20), span(8, 21, 90)], lives);
    expect(faults.lines()).toEqual([expect.stringContaining('the lock was with 8 at 21, while supervisor 7 lived')]);
  });

  test('a supervisor that was killed before it had the lock claims nothing', () => {
    checkLock(faults, [span(null, 0, 50), span(8, 51, 90)], lives);
    expect(faults.lines()).toEqual([]);
  });
});

describe('the file of results', () => {
  const ids = ['a', 'b', 'c', 'd'];

  test('each outcome once, in the order of the ordinals, is no fault', () => {
    checkResults(faults, ids, recorded);
    expect(faults.lines()).toEqual([]);
  });

  test.each([
    ['missing', ['a', 'b', 'd']],
    ['doubled', ['a', 'b', 'c', 'd', 'd']],
    ['in another place', ['a', 'c', 'b', 'd']],
  ])('a line that is %s is a fault', (_, wrong) => {
    checkResults(faults, wrong, recorded);
    expect(faults.count).toBeGreaterThan(0);
  });
});

test('of many faults of a kind a few are told in full, and all are counted', () => {
  for (let i = 0; i < 9; i++) faults.add('kind', `fault ${i}`);
  expect(faults.count).toBe(9);
  expect(faults.lines()).toHaveLength(6);
  expect(faults.lines().at(-1)).toBe('kind: and 4 more');
});
