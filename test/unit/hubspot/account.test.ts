/** What HubSpot tells about the account: every field may be absent, and a refusal is no result. */
import { describe, expect, it, test } from '@jest/globals';
import { AccountClient } from '../../../src/hubspot/account.js';
import type { Answer } from '../../../src/hubspot/classify.js';
import { tierOf } from '../../../src/hubspot/tiers.js';

const { signal } = new AbortController();
function clientOf(status: number, body: unknown, apiVersion = 'v4') {
  const requests: { method: string; path: string; body?: string | Buffer }[] = [];
  const answer: Answer = { kind: 'answer', at: '2026-11-27T00:00:00Z', status, body };
  const http = {
    async send(request: (typeof requests)[number]) {
      requests.push(request);
      return answer;
    },
  };
  return { client: new AccountClient(http, apiVersion), requests };
}

describe('details', () => {
  it('are asked on the path of the version, and read field by field', async () => {
    const { client, requests } = clientOf(
      200,
      { portalId: 12, timeZone: 'US/Eastern', accountType: 3 },
      '2026-09',
    );
    expect(await client.details(signal)).toEqual({
      kind: 'told',
      facts: { portalId: '12', timeZone: 'US/Eastern' },
    });
    expect(requests).toEqual([{ method: 'GET', path: '/account-info/2026-09/details' }]);
  });

  it('are not told by a refusal, which is quoted', async () => {
    const { client } = clientOf(401, {
      status: 'error',
      message: 'expired',
      category: 'EXPIRED_AUTHENTICATION',
    });
    expect(await client.details(signal)).toEqual({
      kind: 'not-told',
      verdict: 'unauthorized',
      words: '401 from HubSpot: expired',
    });
  });
});

test.each([
  [
    { results: [{ usageLimit: 500_000, currentUsage: 1, resetsAt: 'x' }] },
    { usageLimit: 500_000, currentUsage: 1, resetsAt: 'x' },
  ],
  [{ results: [] }, {}],
  [{ results: [{ usageLimit: 'many', currentUsage: -1 }] }, {}],
])('the day’s calls in %j', async (body, facts) => {
  expect(await clientOf(200, body).client.dailyUsage(signal)).toEqual({ kind: 'told', facts });
});

test('the token is in the body, and in no path', async () => {
  const { client, requests } = clientOf(200, { hubId: 12, appId: 7, scopes: ['oauth', 5] });
  expect(await client.tokenInfo('pat-secret', signal)).toEqual({
    kind: 'told',
    facts: { portalId: '12', appId: '7', scopes: ['oauth'] },
  });
  expect(requests[0]?.path).not.toContain('pat-secret');
  expect(requests[0]?.body).toBe('{"tokenKey":"pat-secret"}');
});

test.each([
  [{ perTenSeconds: 100 }, 100],
  [{ perTenSeconds: 190, perDay: 250_000 }, 150], // the header is of this app
  [{ perTenSeconds: 250 }, 200],
  [{ perDay: 250_000 }, 100],
  [{ perDay: 625_000 }, 150],
  [{ perDay: 1_000_000 }, 150],
  [{ perDay: 1_250_000 }, 200],
  [{ perTenSeconds: 110 }, undefined], // an OAuth app's, in every tier
  [{}, undefined],
])('general limits %j: %s association calls per 10 s', (told, calls) => {
  expect(tierOf(told)?.associations.perTenSeconds).toBe(calls);
});
