import { expect, test } from 'vitest';
import { HoldfastError, InvalidInputError } from '../../../../../dist/base/errors.js';
import { FrameReader, frameOf } from '../../../../../dist/runtime/queue/keeper/frames.js';
import { errorOf, toldError, type ToldError } from '../../../../../dist/runtime/queue/keeper/told-errors.js';

function passed(error: unknown): Error {
  const [told] = new FrameReader().read(frameOf(toldError(error)));
  return errorOf(told as ToldError);
}

test('an error of ours comes with its class, code, words, hint and cause', () => {
  const cause = Object.assign(new Error('no space'), { code: 'ENOSPC', errno: -28, syscall: 'write' });
  const error = new HoldfastError('ERR_QUEUE_DISK_FULL', 'the disk is full', { hint: 'Free some space.', cause });
  const heard = passed(error);
  expect(heard).toBeInstanceOf(HoldfastError);
  expect(heard).toMatchObject({ code: 'ERR_QUEUE_DISK_FULL', message: 'the disk is full', hint: 'Free some space.' });
  expect(heard.stack).toBe(error.stack);
  expect(heard.cause).toBeInstanceOf(Error);
  expect(heard.cause).toMatchObject({ message: 'no space', code: 'ENOSPC', errno: -28, syscall: 'write' });
});

test('one without a hint has none', () => {
  expect((passed(new HoldfastError('ERR_QUEUE_IO', 'no')) as HoldfastError).hint).toBeUndefined();
});

test('faults come one by one', () => {
  const faults = [{ where: 'tasks[0].id', problem: 'must be a string' }];
  const error = new InvalidInputError('ERR_INVALID_TASK', 'a task is not valid', faults, { hint: 'Mend it.' });
  const heard = passed(error);
  expect(heard).toBeInstanceOf(InvalidInputError);
  expect(heard).toMatchObject({ faults, message: error.message, hint: 'Mend it.', name: 'InvalidInputError' });
});

test('another error keeps its name, and a cause that leads back to it ends somewhere', () => {
  const error = new RangeError('too much');
  error.cause = error;
  const heard = passed(error);
  expect(`${heard}`).toBe('RangeError: too much');
  expect(heard.cause).toMatchObject({ message: 'too much' });
});

test('what is thrown that is no error comes as one', () => {
  expect(passed('oh').message).toBe('oh');
});
