import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Question } from '../../../../../dist/runtime/pool/thread/question.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('is sent once however many ask meanwhile, and anew once it is answered', async () => {
  const send = vi.fn();
  const question = new Question<number>(send);
  const first = question.ask();
  expect(question.ask()).toBe(first);
  expect(send).toHaveBeenCalledTimes(1);
  question.answer(1);
  expect(await first).toBe(1);
  const second = question.ask();
  expect(send).toHaveBeenCalledTimes(2);
  question.answer(2);
  expect(await second).toBe(2);
});

test('an answer, or a failure, that nobody waits for is ignored, and answers no later question', async () => {
  const question = new Question<number>(() => {});
  question.answer(1);
  question.fail(new Error('gone'));
  const asked = question.ask();
  question.answer(2);
  question.answer(3);
  question.fail(new Error('gone'));
  expect(await asked).toBe(2);
});

test('fails with why there will be no answer', async () => {
  const question = new Question<number>(() => {});
  const asked = question.ask();
  const why = new Error('gone');
  question.fail(why);
  await expect(asked).rejects.toBe(why);
});

test('that has a deadline is late at that instant, and not once it was answered', async () => {
  const late = vi.fn((question: Question<string>) => question.answer('late'));
  const question = new Question<string>(() => {}, { ms: 100, late });
  const inTime = question.ask();
  vi.advanceTimersByTime(99);
  question.answer('in time');
  expect(await inTime).toBe('in time');
  vi.advanceTimersByTime(1_000);
  expect(late).not.toHaveBeenCalled();
  const tooLate = question.ask();
  vi.advanceTimersByTime(100);
  expect(await tooLate).toBe('late');
});
