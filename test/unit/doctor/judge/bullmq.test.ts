import { expect, test } from '@jest/globals';
import { judgeBullmq } from '../../../../src/doctor/judge/bullmq.js';

test('an unknown release is slower, and no fault', () => {
  expect(judgeBullmq({ version: '6.7.0', isKnown: true }).status).toBe('ok');
  expect(judgeBullmq({ version: '6.9.0', isKnown: false })).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/BullMQ 6\.9\.0.*slower/),
  });
});
