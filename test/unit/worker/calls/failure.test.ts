/** HubSpot's answers in words that may be stored. */
import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../../../../src/hubspot/classify.js';
import { failureOf, recordOf, said, statusOf } from '../../../../src/worker/calls/failure.js';
import { AT, answerOf } from '../../../support/worker-samples.js';

const timeout: Answer = { kind: 'none', at: AT, category: 'TIMEOUT', message: 'no answer within 30000 ms' };

describe('an answer of HubSpot', () => {
  const answer = answerOf(403, {
    message: 'scopes are missing',
    category: 'MISSING_SCOPES',
    correlationId: 'c-1',
  });

  it('becomes a failure with its status, category, message and correlation id', () => {
    expect(failureOf(answer)).toEqual({
      at: AT,
      httpStatus: 403,
      category: 'MISSING_SCOPES',
      message: 'scopes are missing',
      correlationId: 'c-1',
    });
  });

  it('gives the reason of a hold, with the status in front', () => {
    expect(said(answer)).toBe('403 from HubSpot: scopes are missing');
  });

  it('is recorded as its status and correlation id', () => {
    expect(statusOf(answer)).toBe('403');
    expect(recordOf(answer)).toBe('403 c-1');
    expect(recordOf(answerOf(201, {}))).toBe('201');
  });

  it.each([null, '<html>', 7, [], { message: 7, category: '' }])(
    'whose body is %j gets its status for category and message',
    body => {
      expect(failureOf(answerOf(502, body))).toEqual({
        at: AT,
        httpStatus: 502,
        category: 'HTTP_502',
        message: 'HTTP 502',
      });
    },
  );

  it('with an endless category and message is cut before it is stored', () => {
    const long = 'x'.repeat(1_000_000);
    const { category, message } = failureOf(answerOf(400, { category: long, message: long }));
    expect(category?.length).toBeLessThan(1_000);
    expect(message.length).toBeLessThan(10_000);
  });
});

describe('a call without an answer', () => {
  it('becomes a failure with the reason, and without a status', () => {
    expect(failureOf(timeout)).toEqual({
      at: AT,
      category: 'TIMEOUT',
      message: 'no answer within 30000 ms',
    });
  });

  it('is recorded and held by its reason', () => {
    expect([statusOf(timeout), recordOf(timeout), said(timeout)]).toEqual([
      'TIMEOUT',
      'TIMEOUT',
      'no answer within 30000 ms',
    ]);
  });
});
