/** Holds: jobs that must wait go back to the queue without spending an attempt; everything else continues. */
import { describe, expect, it } from '@jest/globals';
import type { JobData } from '../../src/shared/contract/association.js';
import { forbidden, locked, migrating, unauthorized } from '../../src/simulator/replies.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
/** Every job is in the queue again: no lock is kept. */
const givenBack = () =>
  eventually(async () => {
    expect(await rig.queue.getActiveCount()).toBe(0);
    expect(await rig.queue.getWaitingCount()).toBeGreaterThan(0);
  });
const endHold = async () => {
  await rig.redis.del(rig.keys.hold);
  await rig.queue.removeRateLimitKey();
};

describe('a long hold of the account', () => {
  it('gives the jobs back after a 477 with a long Retry-After, and they go on when it is over', async () => {
    await rig.start({ env: { JOB_ATTEMPTS: '1' } });
    rig.simulator.script({ kind: 'status', ...migrating(3_600), times: 2 });
    const good = goodPairs(2_000); // one call: a second one may be on its way before HubSpot has answered
    await rig.enqueue(good, 100);
    rig.startWorker();
    await eventually(async () => expect(await rig.redis.hget(rig.keys.hold, 'kind')).toBe('migration'));
    // a worker that starts probes again, with one call
    rig.startWorker();
    await eventually(() => expect(rig.simulator.ledger.calls).toHaveLength(2));
    await givenBack();
    expect(rig.simulator.ledger.calls).toHaveLength(2);
    await endHold();
    // both fetch again when BullMQ's longest pause is over, or at once when started
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(good, []);
  });

  it("lasts until the account's midnight when the daily limit is used up, and rejects no association", async () => {
    await rig.start({ env: { DAILY_CALL_LIMIT: '3', BATCH_MAX_INPUTS: '100', JOB_ATTEMPTS: '1' } });
    await rig.enqueue(goodPairs(1_000), 50);
    rig.startWorker();
    await eventually(async () => expect(await rig.redis.hget(rig.keys.hold, 'kind')).toBe('daily'));
    await givenBack();
    expect(rig.simulator.ledger.calls).toHaveLength(3);
    expect(await rig.totals()).toMatchObject({ created: 300, rejected: 0, calls: 3 });
    const jobs = await rig.queue.getJobs(['waiting', 'active', 'delayed', 'prioritized']);
    expect(jobs.reduce((sum, job) => sum + (job.data as JobData).pairs.length, 0)).toBe(700);
  });
});

describe('a held object pair', () => {
  it('is held by a 403 while another object pair flows, and no association is rejected', async () => {
    await rig.start({ env: { JOB_ATTEMPTS: '1', RETRY_BACKOFF_MS: '500' } });
    rig.simulator.script({ kind: 'status', ...forbidden(), times: 2, match: { fromObjectType: 'contacts' } });
    const contacts = goodPairs(400);
    const deals = goodPairs(300, 300_000_001);
    await rig.enqueue(contacts, 100);
    await rig.enqueue(deals, 100, {
      fromObjectType: 'deals',
      toObjectType: 'contacts',
      types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 3 }],
    });
    rig.startWorker();
    await eventually(async () => {
      const held = await rig.redis.hget(rig.keys.heldPairs, 'contacts/companies');
      expect(held).toContain('403 from HubSpot');
    });
    await rig.drained();
    expect(rig.simulator.ledger.createdCount()).toBe(700);
    expect(await rig.totals()).toMatchObject({ created: 700, rejected: 0 });
    // accepted again: the hold is forgotten
    expect(await rig.redis.hlen(rig.keys.heldPairs)).toBe(0);
  });

  it('waits for at least two seconds after a 423', async () => {
    await rig.start({ env: { JOB_ATTEMPTS: '1' } });
    rig.simulator.script({ kind: 'status', ...locked() });
    const good = goodPairs(100);
    await rig.enqueue(good, 100);
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(good, []);
    const [refused, accepted] = rig.simulator.ledger.calls;
    expect((accepted?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
  });
});

describe('a refused token', () => {
  it('is tried again by one probe, and all replicas go on when it is accepted', async () => {
    await rig.start({ env: { JOB_ATTEMPTS: '1' } });
    rig.simulator.script({ kind: 'status', ...unauthorized() });
    const good = goodPairs(6_000);
    await rig.enqueue(good, 500);
    rig.startWorker();
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(good, []);
    expect(await rig.redis.hget(rig.keys.hold, 'until')).toBeNull();
  });
});
