import { describe, expect, it, test } from '@jest/globals';
import { judgeToken, kindOf, NO_TOKEN, type TokenFacts } from '../../../../src/doctor/judge/token.js';

const refused = (
  verdict: 'unauthorized' | 'forbidden' | 'unavailable' | 'refused' | 'rate-limited',
  words: string,
) => ({ kind: 'not-told', verdict, words }) as const;
const details: TokenFacts['details'] = {
  kind: 'told',
  facts: { portalId: '4242', accountType: 'STANDARD', dataHostingLocation: 'eu1', timeZone: 'Europe/Berlin' },
};
const unknownKind = refused('refused', '400 from HubSpot');

describe('a token that HubSpot accepts', () => {
  it('is told with its portal and its kind', () => {
    const info: TokenFacts['info'] = { kind: 'told', facts: { portalId: '4242', appId: '7' } };
    expect(judgeToken({ kind: 'static', details, info })).toEqual({
      status: 'ok',
      message: 'HubSpot accepts the token: portal 4242 (STANDARD, eu1), private app 7',
    });
    expect(judgeToken({ kind: 'static', details, info: unknownKind }).message).toMatch(
      /service key or a private app$/,
    );
  });

  it('is ok although its account is not told, for want of a scope', () => {
    const forbidden = refused('forbidden', '403 from HubSpot: missing oauth');
    expect(judgeToken({ kind: 'static', details: forbidden, info: unknownKind }).status).toBe('ok');
    const info: TokenFacts['info'] = { kind: 'told', facts: { portalId: '4242' } };
    expect(judgeToken({ kind: 'static', details: forbidden, info }).message).toMatch(/portal 4242/);
  });
});

test.each([
  ['unauthorized', 'fault', /refuses the token: 401/, /HUBSPOT_ACCESS_TOKEN/],
  ['unavailable', 'fault', /cannot be asked: 401/, /HUBSPOT_BASE_URL/],
  ['rate-limited', 'warning', /does not tell now/, /again in a minute/],
  ['refused', 'warning', /does not tell the account/, /HUBSPOT_API_VERSION/],
] as const)('an answer that is %s is a %s', (verdict, status, message, remedy) => {
  const answer = refused(verdict, '401 from HubSpot: expired');
  expect(judgeToken({ kind: 'static', details: answer, info: answer })).toMatchObject({
    status,
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
  });
});

it('a refused token is a fault, whatever the endpoint of tokens says of it', () => {
  const info: TokenFacts['info'] = { kind: 'told', facts: { portalId: '4242' } };
  expect(judgeToken({ kind: 'static', details: refused('unauthorized', '401'), info }).status).toBe('fault');
});

it('a missing token is a fault that says how to get one', () => {
  expect(NO_TOKEN).toMatchObject({ status: 'fault', remedy: expect.stringMatching(/service key/) });
});

it('the kind is in the first letters', () => {
  expect(kindOf('pat-na1-00000000-0000')).toBe('static');
  expect(kindOf('CJSP5qf1KhICAQEYs-gDIIGOBii1hQIyGQAf3xBKmlwHjX7OIpuIFEavB2-qYAGQsF4')).toBe('unknown');
});
