/** Groups of rejections: the same words, whatever the ids in them. */
import { expect, test } from '@jest/globals';
import { indexedRejections, withoutIds } from '../../../../src/shared/state/rejection-groups.js';

test('a group of rejections holds messages that differ in their ids only', () => {
  const error = (message: string) => ({
    at: '2026-03-01T12:00:00Z',
    attempt: 1,
    category: 'X',
    message,
    pairs: 1,
  });
  const job = { version: 1 as const, fromObjectType: 'a', toObjectType: 'b', types: [], pairs: [] };
  const groups = indexedRejections(
    '7',
    {
      ...job,
      rejected: [
        { error: error('Contact 123 not found'), pairs: [['123', '1']] },
        { error: error('Contact 456 not found'), pairs: [['456', '1']] },
        { error: error('jane@example.com is no id'), pairs: [['jane@example.com', '1']] },
      ],
    },
    0,
  );
  expect(groups.map(({ associations, fields }) => [associations, fields[3]])).toEqual([
    [2, 'Contact … not found'],
    [1, '… is no id'],
  ]);
});

test.each([
  ['No contact with ID 101 exists', 'No contact with ID … exists'],
  ['ids 1, 2,3; 4 are gone', 'ids … are gone'],
  ['see 7f3c2b1e-aaaa-4000-8000-123456789abc', 'see …'],
  ['abc is not a valid id', 'abc is not a valid id'],
])('the message "%s" has no ids as "%s"', (message, text) => {
  expect(withoutIds(message)).toBe(text);
});
