/** Trouble of the account, or of an object pair, rejects no association and costs few calls: real worker, real Redis. */
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const calls = () => rig.simulator.ledger.calls.length;
const refusal = (message: string) => ({
  kind: 'status' as const,
  status: 400,
  body: { status: 'error', message, correlationId: '1a6d0728-0000-4000-8000-000000000001' },
});

describe.each([
  ['of the account', 'Hub 1234567 is unknown to this Hublet, but it appears to exist in Hublet eu1'],
  ['of nothing that could be placed', 'Something is wrong'],
])('a 400 without a category that speaks %s', (_, message) => {
  it.each([2, 300])('rejects none of %d associations, which are all created afterwards', async count => {
    await rig.start({ env: { JOB_ATTEMPTS: '1', RETRY_BACKOFF_MS: '100' } });
    // four pauses that double, with a probe or two after each
    rig.simulator.script({ ...refusal(message), times: 5 });
    const good = goodPairs(count);
    await rig.enqueue(good, 1);
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(good, []);
    expect(calls()).toBeLessThanOrEqual(5 + 9);
  });
});

describe('an object pair of which nothing is accepted', () => {
  it.each([
    ['refused without names', { kind: 'refuse', named: false, rate: 1 }],
    ['accepted without a word', { kind: 'empty', rate: 1 }],
  ] as const)(
    'costs a few calls for 30,000 associations that are %s, then one probe after each pause',
    async (_, fault) => {
      await rig.start({ env: { RETRY_BACKOFF_MS: '1000' } });
      rig.simulator.script(fault);
      await rig.enqueue(goodPairs(30_000), 500);
      rig.startWorker();
      const record = () => rig.redis.hvals(rig.keys.heldPairs).then(([json]) => JSON.parse(json ?? '{}'));
      await eventually(async () => expect((await record()).strikes).toBeGreaterThanOrEqual(3));
      // every batch in flight may have begun its search before the first one knew: 65 in 25 s, and 1,192 before
      expect(calls()).toBeLessThanOrEqual(150);
    },
  );
});
