/** The table of verdicts: what the status and category of an answer mean. */
import { describe, expect, it } from '@jest/globals';
import {
  type Answer,
  classifyCall,
  isFinal,
  isFinalNamed,
  rateLimitPauseMs,
} from '../../../src/hubspot/classify.js';
import { AT, answerOf } from '../../support/worker-samples.js';

const error = (message = 'something') => ({ status: 'error', message, correlationId: 'c-1' });
const failure = (more: object) => ({ at: AT, message: 'x', ...more });

describe('classifyCall', () => {
  it.each<[number, unknown, object]>([
    [200, {}, { kind: 'accepted' }],
    [201, { results: [] }, { kind: 'accepted' }],
    [207, { errors: [] }, { kind: 'accepted' }],
    [202, {}, { kind: 'accepted' }],
    [204, undefined, { kind: 'unavailable' }],
    [200, undefined, { kind: 'unavailable' }],
    [201, [], { kind: 'unavailable' }],
    [200, 'OK', { kind: 'unavailable' }],
    [200, null, { kind: 'unavailable' }],
    [302, undefined, { kind: 'unavailable' }],
    [304, {}, { kind: 'unavailable' }],
    [400, error(), { kind: 'refused' }],
    [400, { message: 'Bad Request' }, { kind: 'unavailable' }],
    [404, undefined, { kind: 'unavailable' }],
    [404, error(), { kind: 'refused' }],
    [401, error(), { kind: 'unauthorized' }],
    [401, undefined, { kind: 'unauthorized' }],
    [403, error(), { kind: 'forbidden' }],
    [408, error(), { kind: 'unavailable' }],
    [409, error(), { kind: 'refused' }],
    [413, undefined, { kind: 'too-large' }],
    [425, error(), { kind: 'unavailable' }],
    [423, error(), { kind: 'locked', forMs: 2_000 }],
    [429, { policyName: 'DAILY' }, { kind: 'rate-limited', policy: 'DAILY', forMs: undefined }],
    [429, undefined, { kind: 'rate-limited', policy: '', forMs: undefined }],
    [477, undefined, { kind: 'migrating', forMs: 60_000 }],
    ...[500, 501, 502, 503, 504, 521, 522, 523, 524, 525, 526].map((status): [number, unknown, object] => [
      status,
      error(),
      { kind: 'unavailable' },
    ]),
  ])('%d with %j', (status, body, verdict) => {
    expect(classifyCall(answerOf(status, body))).toEqual(verdict);
  });

  it.each<[number, object]>([
    [423, { kind: 'locked', forMs: 7_000 }],
    [429, { kind: 'rate-limited', policy: '', forMs: 7_000 }],
    [477, { kind: 'migrating', forMs: 7_000 }],
  ])('%d honours Retry-After', (status, verdict) => {
    expect(classifyCall(answerOf(status, {}, 7_000))).toEqual(verdict);
  });

  it('423 waits ten minutes at most', () => {
    expect(classifyCall(answerOf(423, {}, 1e12))).toEqual({ kind: 'locked', forMs: 600_000 });
  });

  it('423 waits two seconds at least', () => {
    expect(classifyCall(answerOf(423, {}, 0))).toEqual({ kind: 'locked', forMs: 2_000 });
  });

  it('no answer means that HubSpot is unavailable', () => {
    const none: Answer = { kind: 'none', at: AT, category: 'TIMEOUT', message: 'no answer' };
    expect(classifyCall(none)).toEqual({ kind: 'unavailable' });
  });

  it('gives every status a verdict, whatever the body, and refuses only in HubSpot’s words', () => {
    for (let status = 100; status < 600; status++) {
      for (const body of [undefined, null, '', [], {}, error()]) {
        const { kind } = classifyCall(answerOf(status, body));
        expect(typeof kind).toBe('string');
        if (kind === 'accepted') expect(status >= 200 && status < 300).toBe(true);
        if (kind === 'refused') expect([Math.floor(status / 100), body]).toEqual([4, error()]);
      }
    }
  });
});

describe('finality', () => {
  it.each<[object, boolean, boolean]>([
    [{ category: 'VALIDATION_ERROR', httpStatus: 400 }, true, true],
    [{ category: 'OBJECT_NOT_FOUND', httpStatus: 207 }, true, true],
    [{ category: 'INTERNAL_ERROR', httpStatus: 207 }, false, false],
    [{ category: 'SOMETHING_NEW', httpStatus: 400 }, false, false],
    [{ httpStatus: 400 }, false, true],
    [{ httpStatus: 404 }, false, false],
    [{ category: 'NO_EFFECT', httpStatus: 201 }, false, false],
    [{ message: 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED: too many', category: 'CONFLICT' }, true, true],
    [{ subCategory: 'x.ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED' }, true, true],
  ])('%j', (more, named, alone) => {
    expect(isFinal(failure(more))).toBe(named);
    expect(isFinalNamed(failure(more))).toBe(alone);
  });
});

it.each([
  ['DAILY', 'until-reset'],
  ['SECONDLY', 1_000],
  ['TEN_SECONDLY_ROLLING', 10_000],
  ['', 10_000],
])('429 of policy %j without Retry-After', (policy, pause) => {
  expect(rateLimitPauseMs(policy, 10_000)).toBe(pause);
});
