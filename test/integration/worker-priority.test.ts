/** High priority: a real worker under a scarce quota, with a backlog of millions. The simulator's ledger says which call. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { createProducer, type Producer } from '../../src/index.js';
import type { Association, Pair } from '../../src/shared/contract/association.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { CONTACT_TO_COMPANY, contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const QUOTA = { calls: 10, windowMs: 2_000 };
/** Linger, a second, and what the simulator takes to answer. */
const WITHIN_MS = 250 + 1_000 + 50;

let producer: Producer;

beforeEach(async () => {
  await rig.start({
    simulator: { rateLimitCalls: QUOTA.calls, rateLimitWindowMs: QUOTA.windowMs, latencyMs: 50 },
    env: { RATE_LIMIT_CALLS: String(QUOTA.calls), RATE_LIMIT_WINDOW_MS: String(QUOTA.windowMs) },
  });
  producer = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix });
});
afterEach(async () => {
  await producer.close();
});

const CONTACTS = ['contacts', 'companies', CONTACT_TO_COMPANY.associationTypeId] as const;
const DEALS = ['deals', 'companies', 341] as const;
type Kind = typeof CONTACTS | typeof DEALS;

const link = ([from, to]: Pair, [fromObjectType, toObjectType, typeId]: Kind = CONTACTS): Association => {
  const types = [{ ...CONTACT_TO_COMPANY, associationTypeId: typeId }];
  return { fromObjectType, toObjectType, from, to, types };
};
function* bulk(count: number): Generator<Association> {
  for (let at = 0; at < count; at++) yield link([String(100_000_001 + at), String(500_000_001 + at)]);
}
const [FIRST, SECOND, THIRD] = goodPairs(3, 300_000_001) as [Pair, Pair, Pair];
const calls = () => rig.simulator.ledger.calls;

/** The call that created it, and how many others arrived between the acknowledgement and it. */
async function carried(pair: Pair, acknowledgedAt: number, [fromType, toType]: Kind) {
  const created = await eventually(() => {
    const found = rig.simulator.ledger.get(fromType, toType, ...pair);
    if (!found) throw new Error('not created yet');
    return found;
  });
  const between = calls().filter(call => call.at > acknowledgedAt && call.n < created.call).length;
  const call = calls()[created.call - 1];
  return { call: created.call, between, inputs: call?.inputs, afterMs: created.at - acknowledgedAt };
}

/** When the backoff of a job was over and it was waiting again, epoch ms. */
async function backSince(jobId: string | undefined): Promise<number> {
  const events = await rig.redis.xrevrange(bullmqKeys(rig.keys).events, '+', '-');
  const waiting = events.find(([, fields]) => fields.includes(String(jobId)) && fields.includes('delayed'));
  return Number(waiting?.[0].split('-')[0]);
}

describe('an association of high priority, with 2,000,000 others waiting and the quota used up,', () => {
  it('rides in the next call, which others fill, and has the call to itself for another object pair', async () => {
    const { associations } = await producer.enqueueMany(bulk(2_000_000));
    expect(associations).toBe(2_000_000);
    rig.startWorker();
    // past the burst of an empty window: from now on each permit is waited for, with the memory full of bulk
    await eventually(() => expect(calls().length).toBeGreaterThan(QUOTA.calls + 2));

    await producer.enqueue(link(FIRST), { priority: 'high' });
    const same = await carried(FIRST, performance.timeOrigin + performance.now(), CONTACTS);
    expect(same.inputs).toBe(2_000);
    expect(same.between).toBeLessThanOrEqual(1);
    expect(same.afterMs).toBeLessThan(WITHIN_MS);

    await producer.enqueueMany([link(SECOND, DEALS)], { priority: 'high' });
    const other = await carried(SECOND, performance.timeOrigin + performance.now(), DEALS);
    expect(other.inputs).toBe(1);
    expect(other.between).toBeLessThanOrEqual(1);
    expect(other.afterMs).toBeLessThan(WITHIN_MS);

    // as any BullMQ client says it; and a retry is as urgent as the first attempt
    const match = { ids: [THIRD[0]] }; // not the calls of the others before it
    rig.simulator.script({ kind: 'partial', ids: [THIRD[0]], category: 'LATER', times: 1, match });
    const { id } = await rig.queue.add(
      'associate',
      { ...contactsToCompanies, pairs: [THIRD] },
      { priority: 1 },
    );
    await carried(THIRD, 0, CONTACTS);
    const again = await carried(THIRD, await backSince(id), CONTACTS);
    expect(again.between).toBeLessThanOrEqual(1);
    expect(again.inputs).toBe(1);

    const left = await rig.queue.getJobCounts('wait', 'prioritized');
    expect(left).toMatchObject({ wait: expect.any(Number), prioritized: 0 });
    expect(left.wait).toBeGreaterThan(3_500);
  });
});
