import { expect, test } from '@jest/globals';
import { judgeBullmq } from '../../../../src/doctor/judge/bullmq.js';

test('an unknown release is slower, and no fault', () => {
  expect(judgeBullmq({ version: '6.7.0', isKnown: true, known: ['6.7.0'] }).status).toBe('ok');
  expect(judgeBullmq({ version: '6.9.0', isKnown: false, known: ['6.7.0'] })).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/BullMQ 6\.9\.0.*slower/),
    // a package has no lock file of ours
    remedy: expect.stringMatching(/npm install bullmq@6\.7\.0/),
  });
});
