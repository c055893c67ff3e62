/** A job's settlement: its pairs are conserved, its errors kept short, its attempts counted. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ErrorContext,
  type JobData,
  MAX_ERRORS_PER_JOB,
  type Pair,
  parseJobData,
  type Rejected,
} from '../../src/shared/association.js';
import type { Outcome } from '../../src/worker/outcome.js';
import { nextAttempt, reopen, settleJob, suspicion } from '../../src/worker/settlement.js';
import { AT, CONTACT_TO_COMPANY, pairsOf } from '../support/worker-samples.js';

const failures = Array.from({ length: 15 }, (_, index) => ({
  at: AT,
  message: `reason ${index}`,
  ...(index % 3 !== 0 && { category: `CATEGORY_${index}` }),
  ...(index % 4 !== 0 && { httpStatus: 400 + index }),
}));
const failure = fc.constantFrom(...failures);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'created' }),
  failure.map((failure): Outcome => ({ kind: 'retry', failure })),
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
      .map(attempts => attempts.sort((one, other) => one - other).map(attempt => context(attempt))),
    rejected: fc.constant<Rejected[]>([{ error: context(1), pairs: [['9', '9']] }]),
    created: fc.integer({ min: 1, max: 400 }),
  },
  { requiredKeys: [] },
);
const count = (outcomes: readonly Outcome[], kind: Outcome['kind']) =>
  outcomes.filter(outcome => outcome.kind === kind).length;
const flat = (rejected: JobData['rejected'] = []) => rejected.flatMap(({ pairs }) => pairs);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

it('conserves the pairs, counts them rightly, and writes data that the schema accepts', () => {
  fc.assert(
    fc.property(
      fc.array(outcome, { minLength: 1, maxLength: 60 }),
      earlier,
      fc.integer({ min: 1, max: 9 }),
      (outcomes, before, maxAttempts) => {
        const pairs = pairsOf(outcomes.length);
        const data = job(pairs, { ...before, source: 'test' });
        const attempt = nextAttempt(data);
        const isLast = attempt >= maxAttempts;
        const { created, rejected, retried, next, data: after } = settleJob(data, outcomes, maxAttempts);

        expect(created).toBe(count(outcomes, 'created'));
        expect(retried).toBe(isLast ? 0 : count(outcomes, 'retry'));
        expect(rejected).toBe(count(outcomes, 'rejected') + (isLast ? count(outcomes, 'retry') : 0));
        expect(created + retried + rejected + count(outcomes, 'held')).toBe(pairs.length);
        if (!after) {
          expect(next).toEqual({ kind: 'complete', created: created + (before.created ?? 0) });
          expect([created, before.rejected]).toEqual([pairs.length, undefined]);
          return;
        }
        expect(parseJobData(JSON.parse(JSON.stringify(after)))).toMatchObject({ ok: true });
        expect(after.source).toBe('test');
        const remains = (outcome: Outcome | undefined) =>
          outcome?.kind === 'held' || (outcome?.kind === 'retry' && !isLast);
        expect(after.pairs).toEqual(pairs.filter((_, index) => remains(outcomes[index])));
        const gone = pairs.filter(
          (_, index) => !remains(outcomes[index]) && outcomes[index]?.kind !== 'created',
        );
        expect(flat(after.rejected).slice(flat(before.rejected).length).sort()).toEqual(gone.sort());
        expect(after.created ?? 0).toBe(created + (before.created ?? 0));

        const errors = after.errors ?? [];
        expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS_PER_JOB);
        const attempts = errors.map(error => error.attempt);
        expect(attempts).toEqual([...attempts].sort((one, other) => one - other));
        if (retried === 0) expect(after.errors).toEqual(before.errors);
        else {
          expect(errors.at(-1)?.attempt).toBe(attempt);
          const mine = errors.filter(error => error.attempt === attempt);
          if (mine.length < MAX_ERRORS_PER_JOB) expect(sum(mine.map(error => error.pairs))).toBe(retried);
        }
        expect(nextAttempt(after)).toBe(retried > 0 ? attempt + 1 : attempt);

        if (after.pairs.length === 0) expect(next.kind).toBe('fail');
        else if (retried > 0) expect(next).toMatchObject({ kind: 'retry', attempt });
        else expect(next.kind).toBe('hold');
        const holds = outcomes.flatMap(outcome => (outcome.kind === 'held' ? [outcome.hold.forMs] : []));
        if (next.kind === 'retry') expect(next.leastMs).toBe(Math.max(0, ...holds));
        if (next.kind === 'hold') expect(next.hold.forMs).toBe(Math.max(...holds));
      },
    ),
    { numRuns: 500 },
  );
});

it('inputs that were judged one by one and heard the same words are one entry of the errors', () => {
  const said = (correlationId: string, message = 'later'): Outcome => ({
    kind: 'retry',
    failure: { at: AT, httpStatus: 207, category: 'LATER', message, correlationId },
  });
  const outcomes = [said('a'), said('b'), said('c', 'much later'), said('d')];
  expect(settleJob(job(pairsOf(4)), outcomes, 8).data?.errors).toMatchObject([
    { message: 'later', correlationId: 'a', pairs: 3 },
    { message: 'much later', correlationId: 'c', pairs: 1 },
  ]);
});

it('ends after so many attempts, everything created or rejected', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.infiniteStream(outcome.filter(({ kind }) => kind !== 'held')),
      (size, maxAttempts, stream) => {
        let data = job(pairsOf(size));
        let created = 0;
        for (let attempt = 1; attempt <= maxAttempts; attempt++) {
          expect(nextAttempt(data)).toBe(attempt);
          const settled = settleJob(
            data,
            data.pairs.map(() => stream.next().value as Outcome),
            maxAttempts,
          );
          created += settled.created;
          const { next, data: after } = settled;
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
        }
        throw new Error(`not ended after ${maxAttempts} attempts`);
      },
    ),
    { numRuns: 200 },
  );
});

it('holds alone spend no attempt and leave the job as it was', () => {
  const data = job(pairsOf(3), { errors: [context(2)], created: 4 });
  const held = (forMs: number): Outcome => ({ kind: 'held', hold: { scope: 'pair', forMs, reason: 'x' } });
  const settled = settleJob(data, [held(5), held(50), held(1)], 3);
  expect(settled).toEqual({
    created: 0,
    rejected: 0,
    retried: 0,
    data,
    next: { kind: 'hold', hold: { scope: 'pair', forMs: 50, reason: 'x' } },
  });
});

it('another number of outcomes than pairs is a programming error', () => {
  expect(() => settleJob(job(pairsOf(2)), [{ kind: 'created' }], 8)).toThrow('2 pairs have 1 outcomes');
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
          const { data, next } = settleJob(job(pairsOf(outcomes.length), before), outcomes, 1);
          if (next.kind === 'complete' || !data) return;
          const again = reopen(data);
          expect(again?.data.pairs).toEqual(flat(data.rejected));
          expect(again?.reopened).toBe(flat(data.rejected).length);
          expect(again?.data).not.toHaveProperty('errors');
          expect(again?.data).not.toHaveProperty('rejected');
          expect(again?.data.created).toBe(data.created);
          expect(nextAttempt(again?.data as JobData)).toBe(1);
          expect(suspicion(again?.data as JobData)).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each<[string, JobData]>([
    ['a new job', job(pairsOf(2))],
    ['a job with pairs left', job(pairsOf(1), { rejected: [{ error: context(1), pairs: [['8', '9']] }] })],
    ['an empty job', job([])],
  ])('is nothing for %s', (_, data) => {
    expect(reopen(data)).toBeUndefined();
  });
});

describe('suspicion', () => {
  const refused = { httpStatus: 400 };
  const outage = { httpStatus: 503 };
  it.each<[string, ErrorContext[], number]>([
    ['nothing failed', [], 0],
    ['a refusal', [context(1, refused)], 1],
    ['accepted without effect', [context(1, { httpStatus: 201 })], 1],
    ['two reasons at one attempt', [context(1, refused), context(1, refused)], 1],
    ['three refusals', [1, 2, 3].map(attempt => context(attempt, refused)), 3],
    ['one outage', [context(1, outage)], 0],
    ['a timeout', [context(1)], 0],
    ['somebody else’s 404', [context(1, { httpStatus: 404, category: 'HTTP_404' })], 0],
    ['a captive portal', [context(1, { httpStatus: 200, category: 'HTTP_200' })], 0],
    ['too large', [context(1, { httpStatus: 413, category: 'HTTP_413' })], 1],
    ['the second outage counts', [context(1, outage), context(2)], 1],
    ['an outage and a refusal', [context(1, outage), context(2, refused)], 1],
    ['a refusal and an outage at one attempt', [context(1, refused), context(1, outage)], 1],
    ['an outage and a refusal at one attempt', [context(1, outage), context(1, refused)], 1],
  ])('%s', (_, errors, expected) => {
    expect(suspicion(job(pairsOf(1), { errors }))).toBe(expected);
  });
});
