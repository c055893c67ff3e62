import { expect, test } from '@jest/globals';
import { judgeScopes } from '../../../../src/doctor/judge/scopes.js';

const told = (scopes: string[] | undefined) => ({ kind: 'told', facts: scopes ? { scopes } : {} }) as const;
const CONTACTS = 'crm.objects.contacts.write';

test('scopes that suffice for what is queued are listed', () => {
  expect(judgeScopes(told(['oauth', CONTACTS, 'tickets']), ['contact', '0-5', 'notes'])).toEqual({
    status: 'ok',
    message: `the token may write: ${CONTACTS}, tickets`,
  });
});

test('a scope that queued jobs need is a warning when it is missing', () => {
  expect(judgeScopes(told([CONTACTS]), ['contacts', 'companies', '2-77', 'deals'])).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(
      /: crm\.objects\.companies\.write, crm\.objects\.custom\.write, crm\.objects\.deals\.write$/,
    ),
  });
});

test('a token that may write nothing is a fault', () => {
  expect(judgeScopes(told(['oauth', 'crm.objects.contacts.read']), []).status).toBe('fault');
});

test('what HubSpot does not tell is no fault', () => {
  expect(judgeScopes(told(undefined), ['contacts']).status).toBe('ok');
  const words = '400 from HubSpot: not a private app';
  expect(judgeScopes({ kind: 'not-told', verdict: 'refused', words }, ['contacts'])).toMatchObject({
    status: 'ok',
    message: expect.stringContaining(words),
  });
  // then it is not the kind of the token
  const away = {
    kind: 'not-told',
    verdict: 'unavailable',
    words: 'HubSpot does not answer: ECONNREFUSED',
  } as const;
  expect(judgeScopes(away, []).message).toMatch(
    /^HubSpot does not tell the scopes of the token \(HubSpot does not answer: ECONNREFUSED\)/,
  );
});
