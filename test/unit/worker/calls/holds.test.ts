/** What answers mean for the account and for the object pair of a batch. */
import { describe, expect, it } from '@jest/globals';
import type { Permit } from '../../../../src/hubspot/quota.js';
import type { Batch } from '../../../../src/worker/batches/batch.js';
import { type AccountVerdict, holdAccount, PairHolds } from '../../../../src/worker/calls/holds.js';
import { AT, answerOf, openBatch, pairsOf } from '../../../support/worker-samples.js';

const PAIR = 'contacts/companies';
const permit = { kind: 'granted', id: 'p-1' } as Permit;
const failure = { at: AT, category: 'VALIDATION_ERROR', message: 'no such type' };

/** Notes the verbs that are called on it, with what they get. */
class FakeQuota {
  readonly said: unknown[][] = [];
  holdsPairs = true;
  held: { until: number; reason: string } | undefined;
  answered = async (...args: unknown[]) => void this.said.push(['answered', ...args]);
  hold = async (...args: unknown[]) => void this.said.push(['hold', ...args]);
  holdGrowing = async (...args: unknown[]) => void this.said.push(['holdGrowing', ...args]);
  endProbe = async (...args: unknown[]) => void this.said.push(['endProbe', ...args]);
  freePair = async (...args: unknown[]) => void this.said.push(['freePair', ...args]);
  heldOf = () => this.held;
  holdPair = async (...args: unknown[]) => {
    this.said.push(['holdPair', ...args]);
    return { until: Date.now() + 5_000, reason: String(args[1]), strikes: 1 };
  };
}

describe('an answer about the account', () => {
  const answer = answerOf(429, { message: 'too fast' });
  const holds: [string, AccountVerdict, unknown[]][] = [
    [
      'Retry-After decides how long a rate limit holds',
      { kind: 'rate-limited', policy: 'SECONDLY', forMs: 7_000 },
      ['hold', 'rate-limit', '429 from HubSpot: too fast', 7_000],
    ],
    [
      'a rate limit without Retry-After holds for one window of its policy',
      { kind: 'rate-limited', policy: 'SECONDLY', forMs: undefined },
      ['hold', 'rate-limit', '429 from HubSpot: too fast', 1_000],
    ],
    [
      'the daily limit holds until it is reset',
      { kind: 'rate-limited', policy: 'DAILY', forMs: undefined },
      ['hold', 'daily', '429 from HubSpot: too fast', 'until-reset'],
    ],
    [
      'a migration holds as long as HubSpot says',
      { kind: 'migrating', forMs: 60_000 },
      ['hold', 'migration', '429 from HubSpot: too fast', 60_000],
    ],
    [
      'a refused token without a newer one holds with growing pauses',
      { kind: 'unauthorized' },
      ['holdGrowing', 'auth', '429 from HubSpot: too fast', permit],
    ],
    [
      'a refusal of the account holds with growing pauses',
      { kind: 'wrong-account' },
      ['holdGrowing', 'account', '429 from HubSpot: too fast', permit],
    ],
  ];
  it.each(holds)('%s', async (_name, verdict, expected) => {
    const quota = new FakeQuota();
    const parts = { quota, windowMs: 10_000, renewToken: async () => false } as unknown as Parameters<
      typeof holdAccount
    >[0];
    await holdAccount(parts, verdict, answer, { permit, sentAt: 1 });
    expect(quota.said).toEqual([expected]);
  });

  it('a token that is newer than the call needs no hold', async () => {
    const quota = new FakeQuota();
    const asked: number[] = [];
    const renewToken = async (sentAt: number) => asked.push(sentAt) > 0;
    const parts = { quota, windowMs: 10_000, renewToken } as unknown as Parameters<typeof holdAccount>[0];
    await holdAccount(parts, { kind: 'unauthorized' }, answer, { permit, sentAt: 42 });
    expect(asked).toEqual([42]);
    expect(quota.said).toEqual([['answered', permit]]);
  });
});

function holdsOf(pairs: number, more: Partial<Batch> = {}) {
  const { batch } = openBatch([{ pairs: pairsOf(pairs) }]);
  const quota = new FakeQuota();
  const evidence: unknown[][] = [];
  const logged: unknown[] = [];
  const probing = { ...batch, inputs: batch.inputs, ...more };
  const holds = new PairHolds(probing, {
    quota,
    evidence: {
      accepted: names => void evidence.push(['accepted', ...names]),
      named: names => void evidence.push(['named', ...names]),
    },
    logger: { warn: (fields: unknown) => void logged.push(fields) },
  } as ConstructorParameters<typeof PairHolds>[1]);
  return { quota, evidence, logged, holds };
}

describe('the object pair of a batch', () => {
  it('is held whatever its types when HubSpot forbids it, and the log says so', async () => {
    const { holds, quota, logged } = holdsOf(3);
    const hold = await holds.forbid(answerOf(423, { message: 'locked' }), 2_000);
    expect(quota.said).toEqual([
      ['holdPair', PAIR, '423 from HubSpot: locked', { leastMs: 2_000, isProbe: false }],
    ]);
    expect(hold).toMatchObject({ scope: 'pair', reason: '423 from HubSpot: locked' });
    expect(logged).toMatchObject([{ event: 'held', objectPair: PAIR, strikes: 1 }]);
  });

  it('is held with its types when nothing of it is accepted; one association holds it for a minute at most', async () => {
    for (const [pairs, how] of [
      [3, {}],
      [1, { longestMs: 60_000 }],
    ] as const) {
      const { holds, quota } = holdsOf(pairs);
      await holds.holdTypes([0], failure);
      expect(quota.said).toEqual([
        [
          'holdPair',
          expect.stringMatching(`^${PAIR}.+`),
          'nothing is accepted: no such type',
          { ...how, isProbe: false },
        ],
      ]);
    }
  });

  it('is free again when HubSpot accepts or names one of its inputs', async () => {
    const { holds, quota, evidence } = holdsOf(3);
    await holds.accepted([0]);
    await holds.named([1]);
    const names = [PAIR, expect.stringMatching(`^${PAIR}.+`)];
    expect(evidence).toEqual([
      ['accepted', ...names],
      ['named', ...names],
    ]);
    expect(quota.said).toEqual([
      ['freePair', ...names],
      ['freePair', ...names],
    ]);
  });

  it('costs no round trip to Redis while no object pair is held', async () => {
    const { holds, quota, evidence } = holdsOf(3);
    quota.holdsPairs = false;
    await holds.accepted([0]);
    expect(evidence).toHaveLength(1);
    expect(quota.said).toEqual([]);
    quota.held = { until: Date.now() + 5_000, reason: 'old news' };
    expect(holds.heldMeanwhile).toBeUndefined();
  });

  it('may be held by another replica meanwhile, which a probe ignores', () => {
    const found = { until: Date.now() + 5_000, reason: 'nothing is accepted' };
    const { holds, quota } = holdsOf(3);
    quota.held = found;
    expect(holds.heldMeanwhile).toMatchObject({ scope: 'pair', reason: 'nothing is accepted' });
    const probe = holdsOf(3, { probes: [PAIR] });
    probe.quota.held = found;
    expect(probe.holds.heldMeanwhile).toBeUndefined();
  });
});

describe('a batch that probes a hold', () => {
  it('continues the hold with its first hold only, and has then a result', async () => {
    const { holds, quota } = holdsOf(3, { probes: [PAIR] });
    await holds.forbid(answerOf(403, {}), 0);
    await holds.forbid(answerOf(403, {}), 0);
    await holds.endProbe();
    expect(quota.said.map(([verb, , , how]) => [verb, (how as { isProbe: boolean }).isProbe])).toEqual([
      ['holdPair', true],
      ['holdPair', false],
    ]);
  });

  it('without a hold ends the probe, so that another batch may probe', async () => {
    const { holds, quota } = holdsOf(3, { probes: [PAIR] });
    await holds.endProbe();
    expect(quota.said).toEqual([['endProbe', [PAIR]]]);
  });
});
