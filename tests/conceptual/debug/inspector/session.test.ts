import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import fc from 'fast-check';
import { MessageSession, SessionEnded } from '../../../../dist/debug/inspector/session.js';

interface Sent {
  id: number;
  method: string;
  params: object;
}

/** A session, and what it sent. */
function open(): { session: MessageSession; sent: Sent[] } {
  const sent: Sent[] = [];
  return { session: new MessageSession((message) => sent.push(JSON.parse(message) as Sent)), sent };
}

const answer = (id: number, result: unknown) => JSON.stringify({ id, result });

describe('a session', () => {
  test('gives each question its own answer, in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 20 })
          .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count })),
        async (order) => {
          const { session, sent } = open();
          const answers = order.map((_, index) => session.call('ask', { index }));
          for (const index of order) session.receive(answer(sent[index]!.id, { told: sent[index]!.params }));
          expect(await Promise.all(answers)).toEqual(order.map((_, index) => ({ told: { index } })));
        },
      ),
    );
  });

  test('rejects with what the thread refuses with, and the name of what was asked', async () => {
    const { session, sent } = open();
    const call = session.call('Runtime.nonsense');
    session.receive(JSON.stringify({ id: sent[0]!.id, error: { code: -32601, message: 'not found' } }));
    await expect(call).rejects.toThrow('Runtime.nonsense: not found');
  });

  test('stands whatever is no message, or answers nothing that was asked', async () => {
    const { session, sent } = open();
    const call = session.call('ask');
    for (const text of [
      '',
      'no JSON',
      'null',
      '1',
      '[]',
      '{}',
      '{"id":99,"result":1}',
      '{"id":"1"}',
      '{"method":"e"}',
    ]) {
      session.receive(text);
    }
    session.receive(answer(sent[0]!.id, 'well'));
    session.receive(answer(sent[0]!.id, 'again'));
    expect(await call).toBe('well');
  });

  test('waits for an answer until its deadline, and for 10 seconds where none is given', async () => {
    vi.useFakeTimers();
    try {
      const { session } = open();
      const ends: string[] = [];
      const note = (error: Error) => void ends.push(error.message);
      const calls = [session.call('short', {}, 100).catch(note), session.call('long').catch(note)];
      await vi.advanceTimersByTimeAsync(99);
      expect(ends).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(ends).toEqual(['short: no answer within 100 ms']);
      await vi.advanceTimersByTimeAsync(9_899);
      expect(ends).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1);
      await Promise.all(calls);
      expect(ends[1]).toBe('long: no answer within 10000 ms');
    } finally {
      vi.useRealTimers();
    }
  });

  test('once closed, rejects what waits and what comes later with the very reason, and leaves no timer', async () => {
    vi.useFakeTimers();
    try {
      const { session, sent } = open();
      const why = new Error('gone');
      const calls = [session.call('a'), session.call('b')];
      session.close(why);
      session.close(new Error('later'));
      for (const call of [...calls, session.call('c')]) await expect(call).rejects.toBe(why);
      expect(sent).toHaveLength(2);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  describe('with a thread that seems to end', () => {
    /** By what V8 answers then. */
    const ANSWERS = [
      ...['Execution was terminated', 'Execution context was destroyed.', 'Cannot find context with specified id'].map(
        (message) => ({ error: { code: -32000, message } }),
      ),
      { result: { result: { type: 'undefined' }, exceptionDetails: { text: 'Uncaught' } } },
    ];
    const END_MS = 100;

    /** One that has asked, and was answered. */
    function answered(said: object, endMs?: number) {
      const session = new MessageSession(() => {}, endMs);
      const ends: unknown[] = [];
      const call = session.call('ask').then(
        (result) => ends.push({ result }),
        (error: unknown) => ends.push(error),
      );
      session.receive(JSON.stringify({ id: 1, ...said }));
      return { session, call, ends };
    }

    beforeEach(() => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
    });

    test.each(ANSWERS)('holds back %j, and rejects with its end once that is told', async (said) => {
      const { session, call, ends } = answered(said, END_MS);
      await vi.advanceTimersByTimeAsync(END_MS - 1);
      expect(ends).toEqual([]);
      session.close(new SessionEnded());
      await call;
      expect(ends).toEqual([expect.any(SessionEnded)]);
      expect(vi.getTimerCount()).toBe(0);
    });

    test.each(ANSWERS)('passes %j on where the thread goes on after all', async (said) => {
      const { session, ends } = answered(said, END_MS);
      await vi.advanceTimersByTimeAsync(END_MS);
      const passedOn = 'error' in said ? new Error(`ask: ${said.error.message}`) : said;
      expect(ends).toEqual([passedOn]);
      expect(vi.getTimerCount()).toBe(0);
      const next = session.call('ask');
      session.receive(answer(2, 'well'));
      expect(await next).toBe('well');
    });

    test.each(ANSWERS)('tells that it may be one by %j, at once where no end can be told', async (said) => {
      const { session, call, ends } = answered(said);
      await call;
      expect(ends).toHaveLength(1);
      expect(session.ending).toBe(true);
    });

    test('takes no other refusal for that, nor what the thread throws', async () => {
      for (const said of [
        { error: { message: 'Object is not available' } },
        { result: { exceptionDetails: { text: 'Uncaught', exception: { type: 'undefined' } } } },
        { result: {} },
        {},
      ]) {
        const { session, call, ends } = answered(said, END_MS);
        await call;
        expect(ends).toHaveLength(1);
        expect(session.ending).toBe(false);
      }
    });
  });

  test('tells an event to all who listen for it, until they do no more', () => {
    const { session } = open();
    const heard: string[] = [];
    const offs = ['a', 'b'].map((name) =>
      session.on('event', ({ n }: { n: number }) => void heard.push(`${name}${n}`)),
    );
    session.on('other', () => void heard.push('other'));
    session.receive(JSON.stringify({ method: 'event', params: { n: 1 } }));
    offs[0]!();
    session.receive(JSON.stringify({ method: 'event', params: { n: 2 } }));
    expect(heard).toEqual(['a1', 'b1', 'b2']);
  });
});
