/** The exit code of a wait, on which scripts rely. */
import { expect, test } from '@jest/globals';
import { codeOf } from '../../../../src/dashboard/requests/outcome.js';

const none = { rejected: 0, cancelled: 0 };

test.each([
  ['all created', { ...none, state: 'done' }, undefined, 0],
  ['some rejected', { ...none, state: 'done', rejected: 1 }, undefined, 1],
  ['cancelled', { ...none, state: 'cancelled', cancelled: 9 }, undefined, 1],
  ['cancelled when nothing was queued any more', { ...none, state: 'cancelled' }, undefined, 1],
  ['the enqueueing was interrupted', { ...none, state: 'interrupted', rejected: 1 }, undefined, 3],
  ['the time is up', { ...none, state: 'open', rejected: 1 }, 'time is up', 3],
  ['Ctrl-C', { ...none, state: 'enqueueing' }, 'interrupted', 3],
] as const)('%s', (_name, request, early, code) => {
  expect(codeOf(request, early)).toBe(code);
});
