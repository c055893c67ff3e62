/**
 * For any mix of plain and odd ids, duplicates and types, the requests and the settled jobs are those that a simple
 * model in texts predicts. The test covers the jobs' text, lanes, request, answer and settlement.
 */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FetchedJob } from '../../src/bullmq/fetched-job.js';
import type { JobQueue } from '../../src/bullmq/job-queue.js';
import type { Answer } from '../../src/hubspot/classify.js';
import type { Permit, Quota } from '../../src/hubspot/quota.js';
import type { AssociationType, JobData } from '../../src/shared/contract/association.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Notifier } from '../../src/shared/runtime/wait.js';
import { type Call, packColumns, unpackColumns } from '../../src/worker/batches/columns.js';
import { Delivery } from '../../src/worker/calls/delivery.js';
import { Evidence } from '../../src/worker/calls/evidence.js';
import { requestBody } from '../../src/worker/calls/request-body.js';
import { listsAll } from '../../src/worker/calls/results.js';
import { Searches } from '../../src/worker/calls/searches.js';
import type { LedgerEntry } from '../../src/worker/jobs/ledger.js';
import { Processor } from '../../src/worker/jobs/processor.js';
import { answerOf, SampleLanes } from '../support/worker-samples.js';

type Written = readonly [from: string | number, to: string | number];
type Job = { readonly pairs: readonly Written[]; readonly types: readonly AssociationType[] };
type Sent = { from: { id: string }; to: { id: string }; types: AssociationType[] };

const type = (associationTypeId: number): AssociationType => ({
  associationCategory: 'USER_DEFINED',
  associationTypeId,
});
const id = fc.oneof(
  fc.integer({ min: 0, max: 6 }).map(String),
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom('007', '0', 'a', 'é', 'a"b', '-1', '1.5', '1234567890123456', '000000000000000003', '😀'),
  fc.integer({ min: 10 ** 9, max: 10 ** 15 - 1 }).map(String),
);
const job: fc.Arbitrary<Job> = fc.record({
  pairs: fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 12 }),
  types: fc.constantFrom([type(1)], [type(2)], [type(2), type(1)]),
});
const logger = createLogger('silent', 'test');
const nothing = async () => {};

// the model: ids are texts, and a list is searched for an input

const canonical = (id: string | number) => String(id).replace(/^0+(?=\d+$)/, '');
const key = ([from, to]: Written) => `${canonical(from)} ${canonical(to)}`;
const kinds = (types: readonly AssociationType[]) =>
  types
    .map(one => one.associationTypeId)
    .sort()
    .join();

/** The request: each record pair once, in order, with the types of all jobs that wait for it. */
function modelOfCall(jobs: readonly Job[]): { pair: string; types: string }[] {
  const inputs: { pair: string; types: Set<number> }[] = [];
  for (const { pairs, types } of jobs)
    for (const pair of pairs) {
      let input = inputs.find(one => one.pair === key(pair));
      if (!input) {
        input = { pair: key(pair), types: new Set() };
        inputs.push(input);
      }
      for (const { associationTypeId } of types) input.types.add(associationTypeId);
    }
  return inputs.map(({ pair, types }) => ({ pair, types: [...types].sort().join() }));
}

/** A job's outcome if HubSpot refuses the bad pairs by name. */
function modelOfJob(job: Job, jobs: readonly Job[], isBad: (pair: string) => boolean) {
  const isShared = (pair: string) =>
    jobs.some(
      ({ pairs, types }) => kinds(types) !== kinds(job.types) && pairs.some(one => key(one) === pair),
    );
  const pairs = job.pairs.map(key);
  const retried = pairs.filter(pair => isBad(pair) && isShared(pair));
  const rejected = pairs.filter(pair => isBad(pair) && !isShared(pair));
  return { created: pairs.length - retried.length - rejected.length, retried, rejected };
}

/** HubSpot's answer: it names the bad inputs and lists the others, in another order, with plain ids as numbers. */
function hubspot(inputs: readonly Sent[], isBad: (pair: string) => boolean): Answer {
  const bad = inputs.filter(({ from, to }) => isBad(`${from.id} ${to.id}`));
  const written = (id: string) => (/^\d{1,15}$/.test(id) ? Number(id) : id);
  const results = inputs
    .filter(input => !bad.includes(input))
    .map(({ from, to }) => ({ fromObjectId: written(from.id), toObjectId: written(to.id) }))
    .reverse();
  const errors = bad.map(({ from, to }) => ({
    ...{ status: 'error', category: 'VALIDATION_ERROR', message: 'bad' },
    context: { fromObjectId: [from.id], toObjectId: [to.id] },
  }));
  return answerOf(bad.length > 0 ? 207 : 201, { results, ...(bad.length > 0 && { errors }) });
}

async function run(jobs: readonly Job[], isBad: (pair: string) => boolean) {
  const entries = new Map<string, LedgerEntry>();
  const calls: Sent[][] = [];
  const lanes = new SampleLanes(2_000);
  const processor = new Processor({
    queue: { retry: nothing, complete: nothing, fail: nothing } as unknown as JobQueue,
    policy: { maxAttempts: 3, patienceHours: 24, backoffMs: 1 },
    ledger: {
      settle(entry) {
        entries.set(entry.jobId, entry);
        setImmediate(() => entry.onSettled(true));
      },
    },
    onEnd: () => {},
    logger,
  });
  const quota = { holdsPairs: false, answered: nothing, release: nothing } as unknown as Quota;
  const delivery = new Delivery({
    caller: {
      async create({ columns: given }: Call) {
        const columns = unpackColumns(structuredClone(packColumns(given)));
        const { inputs } = JSON.parse(requestBody(columns).toString()) as { inputs: Sent[] };
        calls.push(inputs);
        const answer = hubspot(inputs, isBad);
        if (answer.kind === 'none' || !listsAll(answer.body, columns)) return answer;
        return { ...answer, body: undefined, listsAll: true };
      },
    },
    gate: { pass: () => Promise.reject(new Error('one call is enough')) },
    ...{
      quota,
      searches: new Searches(10, new Notifier()),
      evidence: new Evidence(() => performance.now()),
      logger,
    },
    ...{ windowMs: 1, renewToken: async () => true, report: { call() {}, expired() {} } },
  });
  jobs.forEach(({ pairs, types }, at) => {
    const data = { version: 1, fromObjectType: 'contacts', toObjectType: 'companies', types, pairs };
    const about = { token: 't', associations: pairs.length, high: false, trace: undefined };
    const job = { ...about, id: String(at), standsAlone: true, isFirstAttempt: true };
    for (const submission of processor.open({ ...job, text: JSON.stringify(data) } as FetchedJob))
      lanes.submit(submission);
  });
  const batch = lanes.sealOne();
  if (!batch) throw new Error('no batch');
  const turn = { kind: 'turn' as const, permit: { kind: 'granted' } as Permit, leave: () => {} };
  await delivery.deliver(batch, turn, new AbortController().signal);
  return { calls, entries };
}

it('requests and settled jobs are those that the model predicts', async () => {
  const seen = { created: 0, retried: 0, rejected: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(job, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      async (jobs, one) => {
        const isBad = (pair: string) =>
          one > 2 && [...pair].reduce((sum, sign) => sum + (sign.codePointAt(0) ?? 0), 0) % one === 0;
        const { calls, entries } = await run(jobs, isBad);
        const sent = calls[0]?.map(({ from, to, types }) => ({
          pair: `${from.id} ${to.id}`,
          types: kinds(types),
        }));
        expect(sent).toEqual(modelOfCall(jobs));
        expect(calls).toHaveLength(1);
        jobs.forEach((job, at) => {
          const expected = modelOfJob(job, jobs, isBad);
          const { created, retried, rejected, data } = entries.get(String(at)) as LedgerEntry;
          const left: JobData['pairs'] = data?.pairs ?? [];
          const refused = (data?.rejected ?? []).flatMap(({ pairs }) => pairs);
          expect({ created, retried, rejected }).toEqual({
            created: expected.created,
            retried: expected.retried.length,
            rejected: expected.rejected.length,
          });
          expect(left.map(key)).toEqual(expected.retried);
          expect(refused.map(key).sort()).toEqual(expected.rejected.sort());
          expect([...left, ...refused].flat()).toEqual([...left, ...refused].flat().map(canonical));
          seen.created += created;
          seen.retried += retried;
          seen.rejected += rejected;
        });
      },
    ),
    { numRuns: 400 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});
