/** Unknown options are named, with the one that was probably meant. */
import { expect, it } from '@jest/globals';
import { unknownOptions } from '../../../../src/shared/contract/unknown-options.js';

const KNOWN = ['redisUrl', 'prefix', 'packMs', 'requestRetentionDays'];

it.each([
  ['redisURL', ': did you mean redisUrl?'],
  ['redis_url', ': did you mean redisUrl?'],
  ['redisUri', ': did you mean redisUrl?'],
  ['prefx', ': did you mean prefix?'],
  ['retentionDays', ' (but redisUrl, prefix, packMs, requestRetentionDays)'],
  ['url', ' (but redisUrl, prefix, packMs, requestRetentionDays)'],
])('%s is not an option%s', (name, hint) => {
  expect(unknownOptions({ [name]: undefined }, KNOWN)).toEqual([`${name} is not an option${hint}`]);
});

it('each unknown name is a problem, under its place, and no value is shown', () => {
  const given = { accesToken: 'secret', prefix: 'x', '\u001b[31m': 1 };
  expect(unknownOptions(given, ['accessToken', 'prefix'], 'hubspot.')).toEqual([
    'hubspot.accesToken is not an option: did you mean hubspot.accessToken?',
    'hubspot.\\u001b[31m is not an option (but accessToken, prefix)',
  ]);
});

it('known names are no problem', () => {
  expect(unknownOptions({ prefix: 1, packMs: undefined }, KNOWN)).toEqual([]);
});
