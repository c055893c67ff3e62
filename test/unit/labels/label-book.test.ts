import { expect, it } from '@jest/globals';
import { LabelBook } from '../../../src/labels/label-book.js';
import type { LabelsClient } from '../../../src/labels/labels-client.js';

const busyFor = (ms: number) => {
  for (const since = performance.now(); performance.now() - since < ms; );
};
/** Redis answers at once, but the thread is busy, and its timers come before it reads the answer. */
const answer = <T>(given: T, busyMs = 0) =>
  new Promise<T>(resolve => {
    setImmediate(() => {
      busyFor(busyMs);
      setImmediate(resolve, given);
    });
  });
const time = ['1700000000', '0'];
const nothing = [
  [null, time],
  [null, null],
];
const transaction = { time: () => transaction, get: () => transaction, exec: () => answer(nothing, 1_500) };
const redis = { multi: () => transaction, time: () => answer(time), set: () => answer('OK') };

it('A label is looked up although the thread is busy for longer than Redis may take to answer', async () => {
  const labels = [{ category: 'USER_DEFINED', typeId: 36, label: 'Decision maker' }];
  const client = { hasToken: true, ask: async () => ({ labels }) } as unknown as LabelsClient;
  const book = new LabelBook({
    redis: redis as never,
    connected: async () => {},
    prefix: 'labels:',
    client,
    lifetimeMs: 60_000,
    refreshMs: 60_000,
  });
  const question = {
    pair: { from: '0-1', to: '0-2' },
    fromObjectType: 'contacts',
    toObjectType: 'companies',
  };
  await book.look(question, () => true);
  expect(book.known(question)?.labels).toEqual(labels);
});
