/** What the simulator tells about the account and the token, over HTTP. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Simulator, startSimulator } from '../../../src/simulator/server.js';

let simulator: Simulator;
afterEach(() => simulator.stop());

const TOKEN = 'pat-na1-test';
const ask = async (path: string, body?: unknown, token = TOKEN) => {
  const response = await fetch(simulator.url + path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const TOKEN_INFO = '/oauth/v2/private-apps/get/access-token-info';

describe('the account', () => {
  it.each(['v3', '2026-03', '2026-09'])('has details in %s, with its time zone', async version => {
    simulator = await startSimulator({ timezone: 'US/Eastern', portalId: 4_242, accessToken: TOKEN });
    expect(await ask(`/account-info/${version}/details`)).toMatchObject({
      status: 200,
      body: {
        portalId: 4_242,
        timeZone: 'US/Eastern',
        accountType: 'DEVELOPER_TEST',
        utcOffset: expect.stringMatching(/^-0[45]:00$/),
      },
    });
  });

  it('has the calls of its day, these among them, and no call of them in the rolling limit', async () => {
    simulator = await startSimulator({ rateLimitCalls: 1, dailyCallLimit: 3 });
    const usage = '/account-info/v3/api-usage/daily/private-apps';
    await ask('/account-info/v3/details');
    const { body } = await ask(usage);
    expect(body).toMatchObject({ results: [{ usageLimit: 3, currentUsage: 2, fetchStatus: 'SUCCESS' }] });
    const labels = await ask('/crm/v4/associations/contacts/companies/labels');
    expect(labels.status).toBe(200); // the one call of the window
    expect(await ask(usage)).toMatchObject({ status: 429, body: { policyName: 'DAILY' } });
  });

  it('is not told without the scope oauth, or to another token', async () => {
    simulator = await startSimulator({ scopes: ['crm.objects.contacts.write'], accessToken: TOKEN });
    expect(await ask('/account-info/v3/details')).toMatchObject({
      status: 403,
      body: { category: 'MISSING_SCOPES' },
    });
    expect((await ask('/account-info/v3/details', undefined, 'other')).status).toBe(401);
  });
});

describe('the token', () => {
  it('is told with its portal and scopes', async () => {
    simulator = await startSimulator({ accessToken: TOKEN, scopes: ['oauth', 'tickets'] });
    const { status, body } = await ask(TOKEN_INFO, { tokenKey: TOKEN });
    expect(status).toBe(200);
    expect(body).toMatchObject({ hubId: 24_247_247, scopes: ['oauth', 'tickets'] });
  });

  it('is not told if it is another one, or if HubSpot does not know its kind', async () => {
    simulator = await startSimulator({ accessToken: TOKEN });
    expect((await ask(TOKEN_INFO, { tokenKey: 'other' })).status).toBe(400);
    simulator.setOptions({ tokenInfo: false });
    expect((await ask(TOKEN_INFO, { tokenKey: TOKEN })).status).toBe(400);
  });
});

it('a fault may be scripted for these calls alone', async () => {
  simulator = await startSimulator();
  simulator.script({ kind: 'status', status: 503, match: { endpoint: 'account' } });
  expect((await ask('/crm/v4/associations/contacts/companies/labels')).status).toBe(200);
  expect((await ask('/account-info/v3/details')).status).toBe(503);
  expect((await ask('/account-info/v3/details')).status).toBe(200);
});
