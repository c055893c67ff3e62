/** A job's settlement: its pairs are conserved, its errors kept short, the attempts and the patience of each pair its own. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ErrorContext,
  type JobData,
  MAX_ERRORS_PER_JOB,
  type Pair,
  type PairProgress,
  type Rejected,
} from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import type { Outcome } from '../../src/worker/batches/outcome.js';
import { readProgress, ridesOf, writeProgress } from '../../src/worker/jobs/progress.js';
import type { RetryPolicy } from '../../src/worker/jobs/retry-policy.js';
import { reopen, settleJob } from '../../src/worker/jobs/settlement.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { AT, pairsOf, readOf } from '../support/worker-samples.js';

const failures = Array.from({ length: 15 }, (_, index) => ({
  at: AT,
  message: `reason ${index}`,
  ...(index % 3 !== 0 && { category: `CATEGORY_${index}` }),
  ...(index % 4 !== 0 && { httpStatus: 400 + index }),
}));
const failure = fc.constantFrom(...failures);
const policy = (more: Partial<RetryPolicy> = {}): RetryPolicy => ({
  maxAttempts: 8,
  patienceHours: 24,
  backoffMs: 1_000,
  ...more,
});
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'created' }),
  failure.map((failure): Outcome => ({ kind: 'retry', failure, spends: 'attempt', suspicion: 4 })),
  fc
    .tuple(failure, fc.constantFrom(0, 1, 12))
    .map(([failure, suspicion]): Outcome => ({ kind: 'retry', failure, spends: 'time', suspicion })),
  failure.map((failure): Outcome => ({ kind: 'rejected', failure })),
  fc
    .record({
      scope: fc.constantFrom('account' as const, 'pair' as const, 'shutdown' as const),
      forMs: fc.integer({ min: 0, max: 1e9 }),
    })
    .map((hold): Outcome => ({ kind: 'held', hold: { ...hold, reason: 'held' } })),
);
const context = (attempt: number, more: Partial<ErrorContext> = {}): ErrorContext => ({
  at: AT,
  attempt,
  message: 'earlier',
  pairs: 1,
  ...more,
});
const job = (pairs: readonly Pair[], more: Partial<JobData> = {}): JobData => ({
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [CONTACT_TO_COMPANY],
  pairs: [...pairs],
  ...more,
});
const earlier = fc.record(
  {
    errors: fc
      .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 })
      .map(attempts => attempts.map(attempt => context(attempt))),
    rejected: fc.constant<Rejected[]>([{ error: context(1), pairs: [['9', '9']] }]),
    created: fc.integer({ min: 1, max: 400 }),
  },
  { requiredKeys: [] },
);
/** Of a job's data, as it is read. */
const settle = (data: JobData, outcomes: readonly Outcome[], policy: RetryPolicy) =>
  settleJob(readOf(data), outcomes, policy);
const progressOf = (data: JobData) => readProgress(readOf(data));
const reopened = (data: JobData) => reopen(readOf(data));
const HOLD = { scope: 'pair', forMs: 5, reason: 'x' } as const;
const count = (outcomes: readonly Outcome[], kind: Outcome['kind']) =>
  outcomes.filter(outcome => outcome.kind === kind).length;
const flat = (rejected: JobData['rejected'] = []) => rejected.flatMap(({ pairs }) => pairs);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

const pairProgress: fc.Arbitrary<PairProgress> = fc.record(
  {
    attempts: fc.integer({ min: 1, max: 9 }),
    suspicion: fc.integer({ min: 1, max: 12 }),
    unavailableSince: fc.constantFrom(AT, new Date(Date.parse(AT) - 25 * 3_600_000).toISOString()),
  },
  { requiredKeys: [] },
);
/** What an attempt and the weather leave of a pair, told a second time. */
const isLast = (before: PairProgress, outcome: Outcome, maxAttempts: number): boolean => {
  if (outcome.kind !== 'retry') return outcome.kind === 'rejected';
  if (outcome.spends === 'attempt') return (before.attempts ?? 0) + 1 >= maxAttempts;
  const isTired = before.unavailableSince !== undefined && before.unavailableSince !== AT;
  return (before.attempts ?? 0) >= maxAttempts || isTired;
};

it('conserves the pairs, counts them rightly, and writes data that the schema accepts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(outcome, pairProgress), { minLength: 1, maxLength: 60 }),
      earlier,
      fc.integer({ min: 1, max: 9 }),
      (fates, before, maxAttempts) => {
        const outcomes = fates.map(([outcome]) => outcome);
        const past = fates.map(([, progress]) => progress);
        const pairs = pairsOf(outcomes.length);
        const progress = writeProgress(past);
        const data = job(pairs, { ...before, ...(progress && { progress }), source: 'test' });
        expect(progressOf(data)).toEqual(past);
        const settled = settle(data, outcomes, policy({ maxAttempts }));
        const { created, rejected, retried, next, data: after } = settled;
        const ends = outcomes.map((one, at) => isLast(past[at] as PairProgress, one, maxAttempts));
        const comesBack = outcomes.map(({ kind }, at) => kind === 'held' || (kind === 'retry' && !ends[at]));

        expect(created).toBe(count(outcomes, 'created'));
        expect(rejected).toBe(ends.filter(Boolean).length);
        expect(created + retried + rejected + count(outcomes, 'held')).toBe(pairs.length);
        if (!after) {
          expect(next).toEqual({ kind: 'complete', created: created + (before.created ?? 0) });
          expect([created, before.rejected]).toEqual([pairs.length, undefined]);
          return;
        }
        expect(parseJobData(JSON.parse(JSON.stringify(after)))).toMatchObject({ ok: true });
        expect(after.source).toBe('test');
        expect(after.pairs).toEqual(pairs.filter((_, at) => comesBack[at]));
        const gone = pairs.filter((_, at) => ends[at]);
        expect(flat(after.rejected).slice(flat(before.rejected).length).sort()).toEqual(gone.sort());
        expect(after.created ?? 0).toBe(created + (before.created ?? 0));

        const errors = after.errors ?? [];
        expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS_PER_JOB);
        if (retried === 0) expect(after.errors).toEqual(before.errors);
        const added = errors.length - Math.min(errors.length, before.errors?.length ?? 0);
        if (errors.length < MAX_ERRORS_PER_JOB)
          expect(sum(errors.slice(errors.length - added).map(error => error.pairs))).toBe(retried);

        if (after.pairs.length === 0) expect(next.kind).toBe('fail');
        else if (retried > 0) expect(next.kind).toBe('retry');
        else expect(next.kind).toBe('hold');
        const holds = outcomes.flatMap(outcome => (outcome.kind === 'held' ? [outcome.hold.forMs] : []));
        if (next.kind === 'retry') {
          expect(next.leastMs).toBe(Math.max(0, ...holds));
          expect(next.withinMs).toBeGreaterThanOrEqual(1_000);
          expect(next.withinMs).toBeLessThanOrEqual(600_000);
        }
        if (next.kind === 'hold') expect(next.hold.forMs).toBe(Math.max(...holds));
      },
    ),
    { numRuns: 500 },
  );
});

it('over any rounds no pair is rejected as spent before it itself was refused JOB_ATTEMPTS times', () => {
  const round = fc.array(outcome, { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(round, { minLength: 1, maxLength: 30 }),
      (size, maxAttempts, rounds) => {
        let data = job(pairsOf(size));
        const refused = new Map<string, number>();
        let [created, rejected] = [0, 0];
        for (const some of rounds) {
          const { pairs } = data;
          const outcomes = pairs.map((_, at) => some[(at * at) % some.length] as Outcome);
          const settled = settle(data, outcomes, policy({ maxAttempts }));
          created += settled.created;
          rejected += settled.rejected;
          const left = new Set((settled.data?.pairs ?? []).map(String));
          outcomes.forEach((one, at) => {
            const pair = String(pairs[at]);
            if (one.kind !== 'retry') return;
            if (one.spends === 'attempt') refused.set(pair, (refused.get(pair) ?? 0) + 1);
            // its time never runs out here: all answers came at the same moment
            expect([pair, left.has(pair)]).toEqual([pair, (refused.get(pair) ?? 0) < maxAttempts]);
          });
          expect(created + rejected + left.size).toBe(size);
          if (left.size === 0) return;
          const parsed = parseJobData(JSON.parse(JSON.stringify(settled.data)));
          if (!parsed.ok) throw new Error(parsed.faults.join());
          data = parsed.data;
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('the weather spends time', () => {
  const unavailable = (hour: number, more: object = {}): Outcome => ({
    kind: 'retry',
    spends: 'time',
    failure: {
      at: new Date(Date.parse(AT) + hour * 3_600_000).toISOString(),
      httpStatus: 503,
      category: 'HTTP_503',
      message: 'away',
    },
    ...more,
  });
  const settled = (data: JobData, outcomes: readonly Outcome[], more: Partial<RetryPolicy> = {}) =>
    settle(data, outcomes, policy({ maxAttempts: 1, ...more }));

  it('and no attempt: rejected in these words when the patience with it has run out', () => {
    const first = settled(job(pairsOf(2)), [unavailable(0), unavailable(0)]).data as JobData;
    expect(first.progress).toEqual([{ pairs: 2, unavailableSince: AT }]);
    const second = settled(first, [unavailable(23.9), { kind: 'held', hold: HOLD }]);
    expect(second).toMatchObject({ rejected: 0, retried: 1, data: { progress: first.progress } });
    const last = unavailable(24);
    const third = settled(second.data as JobData, [last, last]);
    expect(third).toMatchObject({ rejected: 2, retried: 0, next: { kind: 'fail' } });
    expect(third.data?.rejected).toEqual([
      {
        error: {
          ...{ at: '2026-03-02T12:00:00.000Z', attempt: 1, httpStatus: 503, category: 'HTTP_503', pairs: 2 },
          message: 'HubSpot was unavailable for 24 h: away',
        },
        pairs: pairsOf(2),
      },
    ]);
  });

  it('for ever, where the patience is 0', () => {
    const first = settled(job(pairsOf(1)), [unavailable(0)]).data as JobData;
    expect(settled(first, [unavailable(1e5)], { patienceHours: 0 })).toMatchObject({
      rejected: 0,
      retried: 1,
    });
  });

  it('until HubSpot says something about the pair', () => {
    const first = settled(job(pairsOf(1)), [unavailable(0)]).data as JobData;
    const failure = { at: AT, message: 'later' };
    const second = settled(first, [{ kind: 'retry', spends: 'attempt', failure }], { maxAttempts: 3 });
    expect(second.data?.progress).toEqual([{ pairs: 1, attempts: 1 }]);
    const third = settled(second.data as JobData, [unavailable(30)], { maxAttempts: 3 });
    expect(third.data?.progress).toMatchObject([
      { attempts: 1, unavailableSince: '2026-03-02T18:00:00.000Z' },
    ]);
  });

  it.each([
    [0, 0, 1_000],
    [0.001, 0, 3_600],
    [5, 0, 600_000],
    // only its company is in question: it goes on at once in a smaller one
    [5, 1, 1_000],
  ])('%d h after its first failure, suspected by %d: again within %d ms', (hour, suspicion, withinMs) => {
    const first = settled(job(pairsOf(1)), [unavailable(0)]).data as JobData;
    expect(settled(first, [unavailable(hour, { suspicion })]).next).toMatchObject({
      kind: 'retry',
      withinMs,
    });
  });
});

describe('progress', () => {
  it('that does not add up is ignored: all pairs start afresh, none is rejected early', () => {
    const data = job(pairsOf(3), { progress: [{ pairs: 2, attempts: 7 }] });
    expect(progressOf(data)).toEqual([{}, {}, {}]);
    const failure = { at: AT, message: 'later' };
    const retry: Outcome = { kind: 'retry', spends: 'attempt', failure };
    expect(settle(data, [retry, retry, retry], policy()).data?.progress).toEqual([{ pairs: 3, attempts: 1 }]);
  });

  it('is absent in jobs of earlier versions: their errors alone spend nothing', () => {
    const data = job(pairsOf(1), { errors: [context(7)] });
    const retry: Outcome = { kind: 'retry', spends: 'attempt', failure: { at: AT, message: 'later' } };
    expect(settle(data, [retry], policy()).data?.errors?.at(-1)).toMatchObject({ attempt: 1 });
  });

  it('pairs under the same suspicion ride together, first-timers apart', () => {
    const progress: PairProgress[] = [
      {},
      { suspicion: 1 },
      {},
      { attempts: 1 },
      { suspicion: 1, attempts: 2 },
    ];
    expect(ridesOf(progress)).toEqual([
      { suspicion: 0, failedBefore: false, places: [0, 2] },
      { suspicion: 1, failedBefore: true, places: [1, 4] },
      { suspicion: 0, failedBefore: true, places: [3] },
    ]);
  });
});

it('inputs that were judged one by one and heard the same words are one entry of the errors', () => {
  const said = (correlationId: string, message = 'later'): Outcome => ({
    kind: 'retry',
    spends: 'attempt',
    failure: { at: AT, httpStatus: 207, category: 'LATER', message, correlationId },
  });
  const outcomes = [said('a'), said('b'), said('c', 'much later'), said('d')];
  expect(settle(job(pairsOf(4)), outcomes, policy()).data?.errors).toMatchObject([
    { message: 'later', correlationId: 'a', pairs: 3 },
    { message: 'much later', correlationId: 'c', pairs: 1 },
  ]);
});

it('ends after so many attempts, everything created or rejected', () => {
  const refused = outcome.filter(
    one => one.kind !== 'held' && !(one.kind === 'retry' && one.spends === 'time'),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.infiniteStream(refused),
      (size, maxAttempts, stream) => {
        let data = job(pairsOf(size));
        let created = 0;
        for (let attempt = 1; attempt <= maxAttempts; attempt++) {
          const outcomes = data.pairs.map(() => stream.next().value as Outcome);
          const { next, data: after, ...counts } = settle(data, outcomes, policy({ maxAttempts }));
          created += counts.created;
          if (next.kind === 'complete') {
            expect(next.created).toBe(size);
            return;
          }
          if (next.kind === 'fail') {
            expect(flat(after?.rejected)).toHaveLength(size - created);
            expect(next.reason).toMatch(new RegExp(`^${size - created} of ${size} rejected: `));
            return;
          }
          data = after as JobData;
          expect(progressOf(data).every(({ attempts }) => attempts === attempt)).toBe(true);
        }
        throw new Error(`not ended after ${maxAttempts} attempts`);
      },
    ),
    { numRuns: 200 },
  );
});

it('holds alone spend no attempt and leave the job as it was', () => {
  const data = job(pairsOf(3), {
    errors: [context(2)],
    progress: [
      { pairs: 1, attempts: 2 },
      { pairs: 2, suspicion: 3 },
    ],
    created: 4,
  });
  const held = (forMs: number): Outcome => ({ kind: 'held', hold: { scope: 'pair', forMs, reason: 'x' } });
  const settled = settle(data, [held(5), held(50), held(1)], policy({ maxAttempts: 3 }));
  expect(settled).toEqual({
    created: 0,
    rejected: 0,
    retried: 0,
    data,
    next: { kind: 'hold', hold: { scope: 'pair', forMs: 50, reason: 'x' } },
  });
});

it('another number of outcomes than pairs is a programming error', () => {
  expect(() => settle(job(pairsOf(2)), [{ kind: 'created' }], policy())).toThrow('2 pairs have 1 outcomes');
});

describe('reopen', () => {
  it('puts back exactly what was rejected, and starts from the first attempt', () => {
    fc.assert(
      fc.property(
        fc.array(
          outcome.filter(({ kind }) => kind !== 'held'),
          { minLength: 1, maxLength: 40 },
        ),
        earlier,
        (outcomes, before) => {
          const { data, next } = settle(
            job(pairsOf(outcomes.length), before),
            outcomes,
            policy({ maxAttempts: 1 }),
          );
          if (next.kind !== 'fail' || !data) return;
          const again = reopened(data);
          expect(again?.data?.pairs).toEqual(flat(data.rejected));
          expect(again).toMatchObject({ created: 0, rejected: -flat(data.rejected).length, retried: 0 });
          expect(again?.next).toEqual({ kind: 'reopened' });
          expect(again?.data).not.toHaveProperty('errors');
          expect(again?.data).not.toHaveProperty('rejected');
          expect(again?.data?.created).toBe(data.created);
          expect(again?.data).not.toHaveProperty('progress');
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each<[string, JobData]>([
    ['a new job', job(pairsOf(2))],
    ['a job with pairs left', job(pairsOf(1), { rejected: [{ error: context(1), pairs: [['8', '9']] }] })],
    ['an empty job', job([])],
    ['a rejection without pairs', job([], { rejected: [{ error: context(1), pairs: [] }] })],
  ])('is nothing for %s', (_, data) => {
    expect(reopened(data)).toBeUndefined();
  });
});
