/** The words of the errors that leave the library. */
import { expect, it } from '@jest/globals';
import {
  EnqueueError,
  RedisUnavailableError,
  RequestCancelledError,
} from '../../../../src/shared/contract/errors.js';

const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: '1', to: '2' };
const progress = { enqueued: { requestId: 'r', associations: 5, jobs: 1 }, read: 5 };
const away = new RedisUnavailableError('Redis at redis://127.0.0.1 is away: ECONNREFUSED');

it('an EnqueueError says what is lost, and to enqueue again only what can be', () => {
  const told = (...args: ConstructorParameters<typeof EnqueueError>) => new EnqueueError(...args).message;
  expect(told(away, [link])).toBe(
    'an association not acknowledged, enqueue again: Redis at redis://127.0.0.1 is away: ECONNREFUSED',
  );
  expect(told(away, [link, link])).toMatch(/^2 associations not acknowledged, enqueue again: /);
  expect(told(away, [])).toMatch(/^nothing is enqueued: Redis/);
  expect(told(away, [], progress)).toMatch(
    /^everything that was read is enqueued, but the end of its request is not noted: Redis/,
  );
  const cancelled = new RequestCancelledError('anna@ops');
  expect(told(cancelled, [link, link], progress)).toBe(
    '2 associations not enqueued, or taken back: the request was cancelled by anna@ops',
  );
  expect(told(cancelled, [], progress)).toMatch(/^nothing more is enqueued: the request was cancelled/);
  expect(new RequestCancelledError('').message).toBe('the request was cancelled');
});
