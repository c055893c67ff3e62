/** The promise, end to end: what was accepted ends as created or as rejected with HubSpot's reason. */
import { describe, expect, it } from '@jest/globals';
import { associationsPath } from '../../src/shared/contract/api-versions.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { rateLimited, serverError } from '../../src/simulator/replies.js';
import { eventually } from '../support/eventually.js';
import { useRig, WAYS } from '../support/rig.js';
import { CONTACT_TO_COMPANY, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

/** One bad input of every kind that HubSpot answers differently. */
const BAD: readonly Pair[] = [
  ['999000001', '500000001'], // no such record
  ['500000002', '999000002'],
  ['not-an-id', '500000003'], // not an id at all
  ['998000001', '500000004'], // too many associations: an error that names no input
  ['500000005', '997000001'], // accepted without effect
];
const REASONS = [
  /One or more associations are invalid/, // HubSpot's only words when it names no input
  /No \w+ with ID 999/,
  /not.*valid/i,
  /LIMIT_EXCEEDED|too many|limit/i,
  /accepted without effect/,
];

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const copy = [...items];
  let state = seed;
  for (let at = copy.length - 1; at > 0; at--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = state % (at + 1);
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

/** In the public way two answers stand for all; `TEST_WAY=public` runs everything so. */
describe.each(WAYS)('an input, in the %s way', way => {
  const answers = [
    ['v4', { refusal: 'partial', statusDrift: 0 }],
    ['2025-09', { refusal: 'partial', statusDrift: 0 }],
    ['2026-03', { refusal: 'partial', statusDrift: 0 }],
    ['2026-09', { refusal: 'partial', statusDrift: 0 }], // 200 with errors inside
    ['v4', { refusal: 'partial', statusDrift: 200 }],
    ['2026-03', { refusal: 'partial', statusDrift: 201, numericIds: false }],
    ['v4', { refusal: 'partial', statusDrift: 207 }],
    ['2026-09', { refusal: 'whole', statusDrift: 0 }],
    ['v4', { refusal: 'whole-unnamed', statusDrift: 200 }],
  ] as const;
  it.each(way === 'bulk' ? answers : [answers[0], answers[8]])(
    'is accounted for, bad ones among good ones, when HubSpot answers in %s as %j',
    async (version, answer) => {
      const env = { JOB_ATTEMPTS: '5', HUBSPOT_API_VERSION: version };
      await rig.start({ simulator: answer, env, way });
      const good = goodPairs(5_000);
      await rig.enqueue(shuffled([...good, ...BAD], 7), 300);
      rig.startWorker();
      rig.startWorker();
      await rig.drained();
      const rejected = await rig.expectAccounted(good, BAD);
      const paths = new Set(rig.simulator.ledger.calls.map(({ path }) => path));
      expect([...paths]).toEqual([`${associationsPath(version)}/contacts/companies/batch/create`]);
      for (const [pair, { message }] of rejected)
        if (!REASONS.some(reason => reason.test(message)))
          throw new Error(`${pair} was rejected with: ${message}`);
    },
  );
});

describe('an input', () => {
  it('is rejected in HubSpot’s words for a self-association, wrong types and unknown object types', async () => {
    await rig.start({ env: { JOB_ATTEMPTS: '3' } });
    const good = goodPairs(500);
    await rig.enqueue(good, 100);
    const wrongType = { ...CONTACT_TO_COMPANY, associationTypeId: 280 };
    await rig.enqueue(goodPairs(40, 300_000_000), 40, { types: [wrongType] });
    await rig.enqueue(goodPairs(30, 310_000_000), 30, { fromObjectType: 'martians' });
    rig.startWorker();
    await rig.drained();
    const messages = [...(await rig.rejected()).values()].map(({ message }) => message);
    expect(messages).toHaveLength(70);
    expect(messages.filter(message => /martians/.test(message))).toHaveLength(30);
    expect(rig.simulator.ledger.createdCount()).toBe(500);
    // without halving: the good batch, the refused ones, the good ones again
    expect(rig.simulator.ledger.calls.length).toBeLessThanOrEqual(6);
  });

  it('has the types of both jobs that name the same record pair', async () => {
    await rig.start();
    const pairs = goodPairs(20);
    await rig.enqueue(pairs, 20);
    await rig.enqueue(pairs, 20, { types: [{ ...CONTACT_TO_COMPANY, associationTypeId: 1 }] });
    rig.startWorker();
    await rig.drained();
    expect((await rig.totals()).created).toBe(40);
    expect(rig.simulator.ledger.calls).toHaveLength(1);
    expect(
      rig.simulator.ledger.get('contacts', 'companies', ...(pairs[0] as [string, string]))?.types,
    ).toHaveLength(2);
    expect(rig.simulator.ledger.duplicates).toBe(0);
  });
});

describe('a fault that is nobody’s', () => {
  it('delays associations and rejects none: 429, 5xx, resets, half bodies and answers without effect', async () => {
    await rig.start({ simulator: { latencyMs: 5 } });
    rig.simulator.script(
      { kind: 'status', ...rateLimited('SECONDLY', 1) },
      { kind: 'status', ...serverError(503) },
      { kind: 'reset', applied: true },
      { kind: 'half-body', applied: true },
      { kind: 'empty' },
      { kind: 'omit', ids: ['100000037'], applied: false },
    );
    const good = goodPairs(12_000);
    await rig.enqueue(good, 500);
    rig.startWorker();
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(good, []);
  });

  it('holds the account and rejects nothing when the token has expired, until there is a new one', async () => {
    await rig.start({ simulator: { accessToken: 'another-token' } });
    const good = goodPairs(1_000);
    await rig.enqueue(good, 100);
    const worker = rig.startWorker();
    await eventually(async () => expect(await rig.redis.hget(rig.keys.hold, 'kind')).toBe('auth'));
    expect(await rig.totals()).toMatchObject({ created: 0, rejected: 0 });
    rig.simulator.setOptions({ accessToken: '' });
    await rig.drained();
    await rig.expectAccounted(good, []);
    expect(worker.output()).not.toContain('another-token');
  });
});

describe.each(WAYS)('a job from anybody, in the %s way', way => {
  it('fails at once with every fault named and its data untouched when it is malformed', async () => {
    await rig.start({ way });
    const data = {
      version: 1,
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      types: [],
      pairs: [
        ['1', ''],
        ['2', '3', '4'],
      ],
    };
    const { id } = await rig.queue.add('anything', data);
    rig.startWorker();
    await rig.drained();
    const [failed] = await rig.queue.getFailed();
    expect(failed?.id).toBe(id);
    expect(failed?.data).toEqual(data);
    for (const place of ['/types', '/pairs/0/1', '/pairs/1']) expect(failed?.failedReason).toContain(place);
  });

  it('creates what was rejected when it is retried from a dashboard', async () => {
    await rig.start({ simulator: { missing: ['100000001'] }, way });
    const good = goodPairs(10);
    await rig.enqueue(good, 10);
    rig.startWorker();
    await rig.drained();
    const [failed] = await rig.queue.getFailed();
    expect(failed?.failedReason).toMatch(/^1 of 10 rejected: 1 × OBJECT_NOT_FOUND: /);
    rig.simulator.setOptions({ missing: [] });
    await failed?.retry();
    await rig.drained();
    await rig.expectAccounted(good, []);
    const [completed] = await rig.queue.getCompleted();
    expect(completed?.returnvalue).toEqual({ created: 10 });
  });

  it('fills whole batches with others, be it of one association, of 10,000 or of repeated pairs', async () => {
    // the public way may fetch more slowly than a batch lingers
    const isPublic = (process.env.TEST_WAY ?? way) === 'public';
    await rig.start({ way, env: isPublic ? { BATCH_LINGER_MS: '2000' } : {} });
    const singles = goodPairs(4_000);
    const many = goodPairs(10_000, 200_000_000);
    await rig.enqueue(singles, 1);
    await rig.enqueue([...many, ...many.slice(0, 500)], 10_500);
    rig.startWorker();
    await rig.drained();
    expect((await rig.totals()).created).toBe(14_500);
    expect(rig.simulator.ledger.createdCount()).toBe(14_000);
    expect(rig.simulator.ledger.duplicates).toBe(0);
    const full = rig.simulator.ledger.calls.filter(call => call.inputs === 2_000);
    expect(full.length).toBeGreaterThanOrEqual(6);
  });
});
