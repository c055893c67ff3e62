/** HubSpot in bad weather (5xx for some of the calls): it costs time and rejects no association. */
import { expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const answer = (status: number) => ({ kind: 'status' as const, status });

it('each pair of a job has its own attempts, and a held pair does not age with the others', async () => {
  await rig.start({ env: { JOB_ATTEMPTS: '2', BATCH_MAX_INPUTS: '200', MAX_CONCURRENT_CALLS: '1' } });
  rig.simulator.script(answer(503), answer(423), { kind: 'slow', ms: 0 }, answer(503));
  const good = goodPairs(400);
  await rig.enqueue(good, 400);
  rig.startWorker();
  await rig.drained();
  expect(rig.simulator.ledger.calls.slice(0, 4).map(({ status }) => status)).toEqual([503, 423, 201, 503]);
  await rig.expectAccounted(good, []);
});

it('an outage longer than the patience rejects with the word that HubSpot was unavailable', async () => {
  await rig.start({ env: { UNAVAILABLE_PATIENCE_HOURS: '1', JOB_ATTEMPTS: '1' } });
  rig.simulator.script({ kind: 'status', status: 503, rate: 1 });
  const [pair] = goodPairs(1);
  if (!pair) throw new Error('no pair');
  const unavailableSince = new Date(Date.now() - 1_800_000).toISOString();
  await rig.enqueue([pair], 1, { progress: [{ pairs: 1, unavailableSince }] });
  rig.startWorker();
  // it is tried again within ten minutes: the test does not wait for it
  await eventually(async () => expect((await rig.totals()).retried).toBeGreaterThan(0));
  const job = await eventually(async () => {
    const [delayed] = await rig.queue.getDelayed();
    if (!delayed) throw new Error('it is not delayed yet');
    return delayed;
  });
  await job.updateData({
    ...job.data,
    progress: [{ pairs: 1, unavailableSince: new Date(Date.now() - 3_601_000).toISOString() }],
  });
  await job.promote();
  await rig.drained();
  expect([...(await rig.rejected()).values()]).toEqual([
    { category: 'HTTP_503', message: expect.stringMatching(/^HubSpot was unavailable for 1 h: /) },
  ]);
});

it('with a third of the calls failing, batches stay large, no association is suspected or rejected, and the account is not held', async () => {
  await rig.start({ env: { BATCH_MAX_INPUTS: '100', JOB_ATTEMPTS: '1', MAX_CONCURRENT_CALLS: '3' } });
  rig.simulator.script({ kind: 'status', status: 503, rate: 0.3 });
  const good = goodPairs(4_000);
  await rig.enqueue(good, 25);
  const worker = rig.startWorker();
  await rig.drained();
  await rig.expectAccounted(good, []);
  const { calls } = rig.simulator.ledger;
  const failed = calls.filter(({ status }) => status === 503).length;
  expect(failed).toBeGreaterThan(7);
  // forty full batches, the failed ones again, and a few that were not full
  expect(calls.length - failed).toBeLessThan(90);
  expect(worker.output()).not.toContain('"event":"held"');
});

it('one input that HubSpot fails on, while others succeed, is found and rejected alone, in HubSpot’s words', async () => {
  await rig.start({ env: { BATCH_MAX_INPUTS: '200', JOB_ATTEMPTS: '3', MAX_CONCURRENT_CALLS: '3' } });
  const good = goodPairs(6_000);
  const poison = ['123456', '654321'] as const;
  rig.simulator.script({ kind: 'status', status: 500, rate: 1, match: { pairs: [[...poison]] } });
  await rig.enqueue([...good.slice(0, 3_030), poison, ...good.slice(3_030)], 100);
  rig.startWorker();
  await rig.drained();
  const rejected = await rig.expectAccounted(good, [poison]);
  expect(rejected.get(poison.join(' '))).toMatchObject({
    message: expect.not.stringContaining('unavailable for'),
  });
  const sizes = rig.simulator.ledger.calls.filter(({ status }) => status === 500).map(({ inputs }) => inputs);
  // halved from call to call; then alone, as often as JOB_ATTEMPTS says
  expect(sizes.slice(-3)).toEqual([1, 1, 1]);
  expect(sizes.length).toBeLessThanOrEqual(12);
});
