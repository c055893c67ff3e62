/** HubSpot is in trouble, as a whole or for some of the calls: good associations wait, and none is rejected. */
import { enqueueSteadily } from '../support/arrivals.js';
import { grouped, seconds } from '../support/check.js';
import { badPairs, goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const unavailable = (rate: number) => ({ kind: 'status' as const, status: 503, rate });

export const attempts: Scenario = {
  name: 'attempts',
  fault: 'A part of a job fails temporarily while another part is never sent',
  how: 'JOB_ATTEMPTS=2, one job of 400 in calls of 200, one at a time, answered 503, 423, 201, 503',
  must: 'each association counts its own failures only: all 400 are created',
  tests: ['test/integration/worker-weather.test.ts', 'test/properties/worker-settlement.test.ts'],
  seconds: 20,
  rig: {
    env: { JOB_ATTEMPTS: '2', BATCH_MAX_INPUTS: '200', MAX_CONCURRENT_CALLS: '1', RETRY_BACKOFF_MS: '100' },
  },
  async run(rig, check) {
    const answer = (status: number) => ({ kind: 'status' as const, status, times: 1 });
    await rig.simulator.script(answer(503), answer(423), { kind: 'slow', ms: 0, times: 1 }, answer(503));
    await rig.enqueue(goodPairs(400), 400);
    await rig.startWorker();
    await rig.drains(check, 60_000);
    await rig.ledger(check);
  },
};

const failing = (name: string, rate: number): Scenario => ({
  name,
  fault: `HubSpot answers ${rate * 100} % of the calls with 503, for as long as there is work`,
  how: '300,000 associations, JOB_ATTEMPTS=2, RETRY_BACKOFF_MS=200; the simulator fails calls at random',
  must: 'no good association is rejected; all are created',
  tests: ['test/properties/worker-settlement.test.ts'],
  seconds: 40,
  rig: { env: { JOB_ATTEMPTS: '2', RETRY_BACKOFF_MS: '200' } },
  async run(rig, check) {
    await rig.enqueue(goodPairs(300_000));
    await rig.simulator.script(unavailable(rate));
    await rig.startWorker();
    await rig.drains(check);
    await rig.ledger(check);
  },
});
export const failing30 = failing('failing-30', 0.3);
export const failing50 = failing('failing-50', 0.5);

export const outage: Scenario = {
  name: 'outage',
  fault: 'HubSpot is completely unavailable',
  how: 'every call is answered 503 for 30 s, default settings, 300,000 associations and 20 bad ones',
  must: 'few calls are spent, no association is rejected for it, work continues soon after the end',
  tests: ['test/chaos/worker-chaos.test.ts'],
  seconds: 60,
  async run(rig, check) {
    await rig.enqueue([...goodPairs(300_000), ...badPairs(20)]);
    await rig.simulator.script(unavailable(1));
    await rig.startWorker();
    const until = performance.now() + 30_000;
    await happens(() => performance.now() > until, 31_000);
    const { calls } = await rig.simulator.totals();
    check.must('calls in 30 s of outage', calls, calls <= 60);
    await rig.simulator.mend();
    const since = performance.now();
    const back = await happens(async () => (await rig.counter('created')) > 0, 60_000);
    check.must('first created after', seconds(performance.now() - since), back);
    await rig.drains(check);
    await rig.ledger(check);
  },
};

export const partialOutage: Scenario = {
  name: 'partial-outage',
  fault: 'HubSpot fails 30 % of the calls for 90 s, under steady load',
  how: '10 calls/s allowed, 6,000 associations/s arrive for 110 s, 30 % of the calls are answered 503 from second 10 to 100',
  must: 'arriving associations are created during it as well; at its end at most 30,000 wait, 10 s later a normal number',
  tests: ['test/integration/worker-weather.test.ts'],
  seconds: 135,
  rig: { limit: { calls: 100, windowMs: 10_000 } },
  async run(rig, check) {
    await rig.startWorker();
    const arriving = enqueueSteadily(rig, 6_000, 110_000);
    await arriving.reaches(10_000);
    const before = { created: await rig.counter('created'), enqueued: arriving.enqueued };
    await rig.simulator.script(unavailable(0.3));
    await arriving.reaches(100_000);
    await rig.simulator.mend();
    const created = (await rig.counter('created')) - before.created;
    const arrived = arriving.enqueued - before.enqueued;
    const waiting = arriving.enqueued - (await rig.counter('created'));
    check.must(
      'created during it',
      `${grouped(created / 90)}/s of ${grouped(arrived / 90)}/s`,
      created >= 0.9 * arrived,
    );
    check.must('waiting at its end', waiting, waiting <= 30_000);
    await arriving.reaches(110_000);
    const later = arriving.enqueued - (await rig.counter('created'));
    // the arrivals of one second, and what is in flight
    check.must('waiting 10 s later', later, later <= 12_000);
    await arriving.done;
    await rig.drains(check);
    await rig.ledger(check);
  },
};

export const poison: Scenario = {
  name: 'poison',
  fault: 'One input makes HubSpot answer 500, whatever call it is in, while others succeed',
  how: '1 poison input among 400,000 good ones, calls of 2,000, RETRY_BACKOFF_MS=200',
  must: 'only this input is rejected, with HubSpot’s words; all others are created',
  tests: ['test/integration/worker-weather.test.ts', 'test/integration/weather.test.ts'],
  seconds: 60,
  rig: { limit: { calls: 200, windowMs: 10_000 }, env: { RETRY_BACKOFF_MS: '200' } },
  async run(rig, check) {
    const [from, to] = ['123456', '654321'];
    await rig.simulator.script({ kind: 'status', status: 500, rate: 1, match: { pairs: [[from, to]] } });
    const pairs = goodPairs(400_000);
    await rig.enqueue([...pairs.slice(0, 1_000), [from, to], ...pairs.slice(1_000)]);
    rig.good -= 1;
    rig.bad += 1;
    await rig.startWorker();
    // other calls go on: without them the worker cannot distinguish the input from the weather
    const arriving = enqueueSteadily(rig, 2_000, 60_000, 200_000_001);
    const found = await happens(async () => (await rig.rejected()).size > 0, 60_000);
    arriving.stop();
    await arriving.done;
    check.must('found', found ? 'yes' : 'no', found);
    await rig.drains(check);
    const rejected = await rig.rejected();
    check.must(
      'rejected',
      [...rejected.keys()].join(', ') || 'nobody',
      rejected.size === 1 && rejected.has(`${from} ${to}`),
    );
    check.must('words', rejected.get(`${from} ${to}`) ?? '–', rejected.has(`${from} ${to}`));
    const { created } = await rig.simulator.totals();
    check.must('created', created, created === rig.good);
  },
};
