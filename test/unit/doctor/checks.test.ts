/** The checks that need HubSpot's answers, where it does not give them. */
import { describe, expect, it } from '@jest/globals';
import type { Asked, HubSpotFacts } from '../../../src/doctor/asked.js';
import { checksOf } from '../../../src/doctor/checks.js';
import { parseConfig } from '../../../src/shared/runtime/config.js';

const untold = (verdict: 'unavailable' | 'unauthorized' | 'forbidden', words: string) =>
  ({ kind: 'not-told', verdict, words }) as const;
const NEEDS_HUBSPOT = ['scopes', 'time-zone', 'daily-calls', 'limits'];

async function find(given: Pick<HubSpotFacts, 'details' | 'usage' | 'info'>) {
  const nothing = Promise.reject(new Error('not asked'));
  nothing.catch(() => {});
  const asked = {
    ...{ redis: nothing, queue: nothing, jobs: nothing, receivers: nothing },
    hubspot: Promise.resolve({ ...given, perTenSeconds: undefined }),
  } as unknown as Asked;
  const config = parseConfig({ HUBSPOT_ACCESS_TOKEN: 'x' });
  const checks = checksOf(asked, { config, version: '0.1.0', now: 0 });
  const made = checks.filter(({ name }) => name === 'token' || NEEDS_HUBSPOT.includes(name));
  return Promise.all(made.map(async ({ name, find }) => ({ name, ...(await find())[0] })));
}

describe('the checks that need HubSpot', () => {
  it.each([
    ['unavailable', 'HubSpot cannot be asked'],
    ['unauthorized', 'HubSpot does not accept the token'],
  ] as const)('are not made where its answer is %s; the line of token says why', async (verdict, why) => {
    const told = untold(verdict, 'ECONNREFUSED');
    const [token, ...others] = await find({ details: told, usage: told, info: told });
    expect(token).toMatchObject({ status: 'fault', message: expect.stringContaining('ECONNREFUSED') });
    expect(others).toEqual(
      NEEDS_HUBSPOT.map(name => ({
        ...{ name, status: 'warning', message: `not checked, because ${why}` },
        remedy: 'see the line of token',
      })),
    );
  });

  it('are made where HubSpot answers and does not tell, and say which call had no answer', async () => {
    const [token, scopes, zone, day, limits] = await find({
      details: { kind: 'told', facts: { portalId: '1' } },
      usage: untold('unavailable', 'HubSpot does not answer: ETIMEDOUT'),
      info: untold('forbidden', '403 from HubSpot'),
    });
    expect([token, scopes, zone].map(each => each?.status)).toEqual(['ok', 'ok', 'ok']);
    for (const each of [day, limits])
      expect(each).toMatchObject({
        status: 'warning',
        message: 'not checked, because HubSpot does not answer: ETIMEDOUT',
      });
  });
});
