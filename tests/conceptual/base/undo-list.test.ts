import { expect, test } from 'vitest';
import { UndoList } from '../../../dist/base/undo-list.js';

test('undoes what was done, the last first, each once, whatever fails of it', async () => {
  const undo = new UndoList();
  const undone: number[] = [];
  for (const number of [1, 2, 3, 4]) {
    undo.add(async () => {
      await Promise.resolve();
      undone.push(number);
      if (number % 2 === 1) throw new Error(`step ${number}`);
    });
  }
  await expect(undo.undo()).rejects.toThrow('step 3');
  expect(undone).toEqual([4, 3, 2, 1]);
  await undo.undo();
  expect(undone).toHaveLength(4);
});
