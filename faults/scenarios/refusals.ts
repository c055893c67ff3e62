/** HubSpot refuses inputs, an object pair, or everything. Good associations are neither rejected nor delayed. */
import type { Fault } from '../../src/simulator/faults.js';
import { enqueueSteadily } from '../support/arrivals.js';
import { seconds } from '../support/check.js';
import { badPairs, type FaultRig, goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const HUBSPOTS_LIMIT = { calls: 100, windowMs: 10_000 };
const DEALS = {
  fromObjectType: 'deals',
  toObjectType: 'contacts',
  types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 3 }],
};

export const isolation: Scenario = {
  name: 'isolation',
  fault: '10,000 associations that HubSpot refuses, a quarter of them without naming them',
  how: 'calls with a bad input are refused as a whole (400); 100 calls per 10 s; single associations of another object pair come in the middle',
  must: 'a good single association is created within BATCH_LINGER_MS + 2 s, one of high priority within + 1 s',
  tests: ['test/integration/worker-suspects.test.ts', 'test/unit/worker/calls/gate.test.ts'],
  seconds: 40,
  rig: { limit: HUBSPOTS_LIMIT },
  async run(rig, check) {
    await rig.simulator.set({ refusal: 'whole' });
    await rig.enqueue(badPairs(10_000, 4));
    await rig.startWorker();
    await happens(async () => (await rig.simulator.totals()).calls > 40, 30_000);
    const waits: number[] = [];
    const urgent: number[] = [];
    for (let n = 0; n < 5; n++) {
      waits.push(await timeOf(rig, n, {}));
      urgent.push(await timeOf(rig, 100 + n, { priority: 1 }));
    }
    const slowest = Math.max(...waits);
    const slowestUrgent = Math.max(...urgent);
    check.must('slowest of 5 singles', seconds(slowest), slowest <= 2_250);
    check.must('slowest of 5 of high priority', seconds(slowestUrgent), slowestUrgent <= 1_250);
  },
};

/** Calls that the same took before suspects took turns with first-timers. */
const CALLS_BEFORE = 3_400;

export const isolationCalls: Scenario = {
  name: 'isolation-calls',
  fault: '10,000 associations that HubSpot refuses, a quarter of them without naming them, and nothing else',
  how: 'the same without a limit of calls, to the end',
  must: 'all are rejected in no more calls than before suspects took turns with others',
  tests: ['test/properties/worker-isolate.test.ts'],
  seconds: 40,
  rig: { env: { RETRY_BACKOFF_MS: '200' } },
  async run(rig, check) {
    await rig.simulator.set({ refusal: 'whole' });
    await rig.enqueue(badPairs(10_000, 4));
    await rig.startWorker();
    await rig.drains(check);
    const { calls } = await rig.simulator.totals();
    check.must('calls', calls, calls <= CALLS_BEFORE);
    await rig.ledger(check);
  },
};

/** Time from enqueueing until HubSpot has the association. */
async function timeOf(rig: FaultRig, number: number, options: object): Promise<number> {
  const before = await rig.counter('created');
  const since = performance.now();
  await rig.enqueue(goodPairs(1, 300_000_001 + number), 1, DEALS, options);
  await happens(async () => (await rig.counter('created')) > before, 60_000);
  return performance.now() - since;
}

const WRONG_HUBLET = {
  status: 'error',
  message: 'Hub 1234567 is unknown to this Hublet, but it appears to exist in Hublet eu1',
  correlationId: '1a6d0728-0000-4000-8000-000000000001',
  correctHublet: 'eu1',
};

const hublet = (name: string, count: number): Scenario => ({
  name,
  fault: `Trouble of the account: every call is refused with 400 without a category (wrong hublet), ${count} associations`,
  how: 'for 40 s, default settings',
  must: 'no association is rejected, few calls are spent, all are created afterwards',
  tests: ['test/integration/worker-trouble.test.ts', 'test/integration/delivery.test.ts'],
  seconds: 70,
  rig: { limit: HUBSPOTS_LIMIT },
  async run(rig, check) {
    await rig.simulator.script({ kind: 'status', status: 400, body: WRONG_HUBLET, rate: 1 });
    await rig.enqueue(goodPairs(count), 100);
    await rig.startWorker();
    const until = performance.now() + 40_000;
    await happens(() => performance.now() > until, 41_000);
    const { calls } = await rig.simulator.totals();
    check.must('rejected during it', await rig.counter('rejected'), (await rig.counter('rejected')) === 0);
    check.must('calls in 40 s', calls, calls <= 40);
    await rig.simulator.mend();
    await rig.drains(check);
    await rig.ledger(check);
  },
});
export const wrongHublet = hublet('wrong-hublet', 300);
export const wrongHubletTwo = hublet('wrong-hublet-two', 2);

const refusedPair = (name: string, fault: Fault, words: string): Scenario => ({
  name,
  fault: words,
  how: '30,000 associations of one object pair, default settings, while another object pair is in order; 25 s',
  must: 'the object pair is held: at most 600 calls for it; the other object pair is created',
  tests: ['test/integration/worker-trouble.test.ts', 'test/integration/delivery.test.ts'],
  seconds: 40,
  async run(rig, check) {
    await rig.simulator.script(fault);
    await rig.enqueue(goodPairs(30_000));
    await rig.startWorker();
    const arriving = enqueueSteadilyDeals(rig);
    await arriving.reaches(25_000);
    arriving.stop();
    await arriving.done;
    const calls = await callsFor(rig, 'contacts/companies');
    check.must('calls for it in 25 s', calls, calls <= 600);
    check.must(
      'rejected, alone in their calls',
      await rig.counter('rejected'),
      (await rig.counter('rejected')) <= 300,
    );
    const created = await happens(async () => (await rig.counter('created')) >= arriving.enqueued, 10_000);
    check.must('of the other pair created', await rig.counter('created'), created);
  },
});

const enqueueSteadilyDeals = (rig: FaultRig) => enqueueSteadily(rig, 200, 25_000, 200_000_001, DEALS);

async function callsFor(rig: FaultRig, pair: string): Promise<number> {
  return (await rig.simulator.calls()).filter(({ path }) => path.includes(`/${pair}/`)).length;
}

const CONTACT_COMPANY = { fromObjectType: 'contacts', toObjectType: 'companies' };
export const refusedWithoutNames = refusedPair(
  'pair-refused',
  { kind: 'refuse', named: false, rate: 1, match: CONTACT_COMPANY },
  'HubSpot refuses everything of one object pair and names nobody',
);
export const unlisted = refusedPair(
  'pair-unlisted',
  { kind: 'empty', rate: 1, match: CONTACT_COMPANY },
  'HubSpot accepts every call of one object pair and lists nobody (2xx without results or errors)',
);

export const retryAfter: Scenario = {
  name: 'retry-after',
  fault: 'A 429 says Retry-After: 1000000000 (31 years)',
  how: 'once, with a window of 2 s',
  must: 'the account is held for at most 6 windows, then one probe goes; a restart probes again',
  tests: ['test/integration/quota.test.ts'],
  seconds: 20,
  rig: { limit: { calls: 20, windowMs: 2_000 } },
  async run(rig, check) {
    await rig.simulator.script({
      kind: 'status',
      status: 429,
      headers: { 'Retry-After': '1000000000' },
      times: 1,
    });
    await rig.enqueue(goodPairs(10_000));
    await rig.startWorker();
    const since = performance.now();
    await rig.drains(check, 60_000);
    const waited = performance.now() - since;
    check.must('all created after', seconds(waited), waited >= 4_000 && waited <= 20_000);
    await rig.ledger(check);
  },
};
