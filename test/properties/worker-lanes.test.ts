/** The lanes loses nothing, repeats nothing, keeps the order, and fills batches exactly. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AssociationType, type Pair, typesText } from '../../src/shared/contract/association.js';
import { Pairs } from '../../src/shared/contract/pairs.js';
import type { Batch } from '../../src/worker/batches/batch.js';
import { indexes } from '../../src/worker/batches/columns.js';
import { CREATED, type Outcome } from '../../src/worker/batches/outcome.js';
import { lineOf } from '../../src/worker/batches/submission.js';
import { batchLimit } from '../../src/worker/batches/suspicion.js';
import { inputsIn, pairsOf, type Sample, SampleLanes, submitTo } from '../support/worker-samples.js';

const pairKey = (from: string, to: string): string => `${from} ${to}`;
const type = (associationTypeId: number): AssociationType => ({
  associationCategory: 'HUBSPOT_DEFINED',
  associationTypeId,
});
const LINGER_MS = 10;

const lanesOf = (maxInputs: number) => new SampleLanes(maxInputs, { lingerMs: LINGER_MS });

const submission = (pairs: readonly Pair[], more: Partial<Sample> = {}): Sample => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [type(1)],
  suspicion: 0,
  pairs: Pairs.of(pairs),
  ...more,
});

// few ids, so that record pairs come again, within a job too
const id = fc.integer({ min: 1, max: 5 });
// or so many that nearly none does
const rareId = fc.integer({ min: 1, max: 10 ** 15 - 1 });
const numbers = fc
  .constantFrom(id, rareId)
  .chain(ids => fc.array(ids, { maxLength: 50 }).map(all => all.slice(0, all.length & ~1)));
/** Plain ids, odd ones, or both; an odd id may stand in a job's texts twice. */
const pairs = fc.tuple(numbers, fc.constantFrom(0, 0, 1, 3)).map(([ids, odd]): Pairs => {
  const texts: string[] = [];
  const isOdd = (id: number) => odd > 0 && id % odd === 0;
  return new Pairs(
    ids.map(id => (isOdd(id) ? -texts.push(`r${id}`) : id)),
    texts,
  );
});
const submissions = fc.record({
  fromObjectType: fc.constantFrom('contacts', 'deals'),
  toObjectType: fc.constant('companies'),
  types: fc.constantFrom([type(1)], [type(2)], [type(2), type(1)], [type(1), type(2)]),
  pairs,
  suspicion: fc.constantFrom(0, 0, 0, 1, 2, 3, 9),
});
type Step =
  | { kind: 'submit'; submission: Sample }
  | { kind: 'pass'; ms: number }
  | { kind: 'seal'; partialsToo: boolean }
  | { kind: 'release'; fromObjectType: string }
  | { kind: 'flush' };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: submissions.map((submission): Step => ({ kind: 'submit', submission })) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 12 }).map((ms): Step => ({ kind: 'pass', ms })) },
    { weight: 5, arbitrary: fc.boolean().map((partialsToo): Step => ({ kind: 'seal', partialsToo })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('contacts', 'deals')
        .map((fromObjectType): Step => ({ kind: 'release', fromObjectType })),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'flush' }) },
  ),
  { maxLength: 40 },
);

const HELD: Outcome = { kind: 'held', hold: { scope: 'pair', forMs: 1, reason: 'released' } };
/** An outcome that says which input of which batch it belongs to. */
const outcomeOf = (pair: Pair, batch: number): Outcome => ({
  kind: 'retry',
  spends: 'attempt',
  failure: { at: String(batch), message: pairKey(...pair) },
});
/** The inputs of a batch as objects, with who waits for them. */
const inputsOf = ({ inputs }: Batch) =>
  inputsIn(inputs).map((input, at) => ({
    ...input,
    merged: inputs.isMerged(at),
    waiters: inputs.waiters(at),
  }));
const laneOf = (maxInputs: number, one: Sample) =>
  `${one.fromObjectType}/${one.toObjectType} ${batchLimit(maxInputs, one.suspicion)} ${one.suspicion === 0} ${lineOf(one)}`;

describe('any sequence of submissions, waiting, sealing, releasing', () => {
  it('gives every pair exactly one outcome, its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), steps, async (maxInputs, script) => {
        const lanes = lanesOf(maxInputs);
        const submitted: { submission: Sample; outcomes: readonly Outcome[] | undefined }[] = [];
        const waits: Promise<void>[] = [];
        let batches = 0;
        let waiting = 0;
        let createdAsOne = 0;
        const send = (batch: Batch) => {
          batches += 1;
          const { inputs } = batch;
          // all of them together, all but the first, or one by one
          if (batches % 3 === 1) waiting -= inputs.settle(0, outcomeOf(inputs.pairAt(0), batches));
          if (batches % 3 < 2) {
            const created = inputs.settleRest(CREATED);
            waiting -= created;
            createdAsOne += created;
          } else
            for (let input = 0; input < inputs.size; input++)
              waiting -= inputs.settle(input, outcomeOf(inputs.pairAt(input), batches));
          expect([inputs.open, inputs.settleRest(HELD)]).toEqual([0, 0]);
        };
        for (const step of script) {
          if (step.kind === 'submit') {
            const entry: (typeof submitted)[number] = { submission: step.submission, outcomes: undefined };
            submitted.push(entry);
            waiting += step.submission.pairs.length;
            waits.push(
              submitTo(lanes, step.submission).then(outcomes => {
                entry.outcomes = outcomes;
              }),
            );
          } else if (step.kind === 'pass') lanes.pass(step.ms);
          else if (step.kind === 'flush') lanes.flush();
          else if (step.kind === 'release') {
            lanes.release(one => (one.fromObjectType === step.fromObjectType ? HELD : undefined));
            waiting = lanes.size;
          } else {
            const ready = lanes.nextOne(step.partialsToo);
            const batch = lanes.sealOne(step.partialsToo);
            expect(batch !== undefined).toBe(ready !== undefined);
            if (batch) send(batch);
          }
          expect(lanes.size).toBe(waiting);
        }
        lanes.flush();
        for (let batch = lanes.sealOne(); batch; batch = lanes.sealOne()) send(batch);

        expect(lanes.size).toBe(0);
        expect(lanes.nextOne()).toBeUndefined();
        expect(lanes.nextLinger()).toBeUndefined();
        await Promise.all(waits); // whoever was lost hangs here
        const all = submitted.flatMap(({ outcomes }) => outcomes ?? []);
        expect(all.filter(outcome => outcome === CREATED)).toHaveLength(createdAsOne);
        for (const { submission, outcomes } of submitted) {
          expect(outcomes).toHaveLength(submission.pairs.length);
          outcomes?.forEach((outcome, index) => {
            const [from = '', to = ''] = submission.pairs.at(index) ?? [];
            if (outcome.kind === 'retry') expect(outcome.failure.message).toBe(pairKey(from, to));
            else expect([HELD, CREATED]).toContain(outcome);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('seals batches of one lane, within its limit, without a pair twice, oldest first, types united', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), steps, (maxInputs, script) => {
        const lanes = lanesOf(maxInputs);
        const order = new Map<Sample, number>();
        /** highest place in the queue that a lane has sent, with the pairs it has sent so far */
        const sent = new Map<string, { place: number; batch: Batch }[]>();
        const check = (batch: Batch) => {
          const inputs = inputsOf(batch);
          const keys = inputs.map(input => pairKey(input.from, input.to));
          expect(keys).toHaveLength(batch.inputs.size);
          // what is given away is the same
          const copy = batch.inputs.columns(indexes(batch.inputs.size));
          expect(inputsIn(copy)).toEqual(inputsIn(batch.inputs));
          expect(copy.ids.buffer).not.toBe(batch.inputs.ids.buffer);
          // equal ids are equal numbers
          expect(new Set(batch.inputs.texts).size).toBe(batch.inputs.texts.length);
          const texts = new Set(inputs.flatMap(({ waiters }) => waiters.map(one => one.ticket.typesText)));
          expect(batch.inputs.typesTexts()).toEqual(texts);
          expect(new Set(keys).size).toBe(keys.length);
          expect(keys.length).toBeGreaterThan(0);
          const lanes = new Set<string>();
          let place = -1;
          for (const input of inputs) {
            const united = new Set<string>();
            const texts = new Set<string>();
            for (const { ticket, index } of input.waiters) {
              const one = ticket.submission;
              lanes.add(laneOf(maxInputs, one));
              expect(one.pairs.at(index)).toEqual([input.from, input.to]);
              for (const its of one.types) united.add(typesText([its]));
              texts.add(typesText(one.types));
              expect(texts.size === 1 || one.suspicion === 0).toBe(true);
            }
            expect(input.types.map(its => typesText([its])).sort()).toEqual([...united].sort());
            expect(input.merged).toBe(texts.size > 1);
            const [first] = input.waiters;
            const firstPlace = (order.get(first?.ticket.submission as Sample) ?? 0) + (first?.index ?? 0);
            expect(firstPlace).toBeGreaterThan(place);
            place = firstPlace;
          }
          expect(lanes.size).toBe(1);
          const [lane = ''] = lanes;
          expect(keys.length).toBeLessThanOrEqual(Number(lane.split(' ')[1]));
          const before = sent.get(lane) ?? [];
          // nobody is overtaken, except who may not share an input with the one before
          for (const input of inputs)
            for (const { ticket, index } of input.waiters) {
              const own = (order.get(ticket.submission) ?? 0) + index;
              for (const earlier of before.filter(one => one.place > own)) {
                const same = inputsOf(earlier.batch).find(
                  one => one.from === input.from && one.to === input.to,
                );
                expect(same).toBeDefined();
                expect(typesText(same?.types ?? [])).not.toBe(typesText(ticket.submission.types));
              }
            }
          const places = inputs.flatMap(input =>
            input.waiters.map(({ ticket, index }) => (order.get(ticket.submission) ?? 0) + index),
          );
          sent.set(lane, [...before, { place: Math.max(...places), batch }]);
        };
        let place = 0;
        for (const step of script) {
          if (step.kind === 'submit') {
            order.set(step.submission, place);
            place += step.submission.pairs.length;
            void submitTo(lanes, step.submission);
          } else if (step.kind === 'pass') lanes.pass(step.ms);
          else if (step.kind === 'seal') {
            const batch = lanes.sealOne(step.partialsToo);
            if (batch) check(batch);
          }
        }
        lanes.flush();
        for (let batch = lanes.sealOne(); batch; batch = lanes.sealOne()) check(batch);
      }),
      { numRuns: 300 },
    );
  });

  it('fills every batch exactly while there is a backlog', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        (maxInputs, sizes) => {
          const lanes = lanesOf(maxInputs);
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const all = pairsOf(total);
          let at = 0;
          for (const size of sizes) {
            void submitTo(lanes, submission(all.slice(at, at + size)));
            at += size;
          }
          const seen: string[] = [];
          for (let batch = lanes.sealOne(); batch; batch = lanes.sealOne()) {
            expect(batch.trigger).toBe('full');
            expect(batch.inputs.size).toBe(maxInputs);
            seen.push(...inputsOf(batch).map(input => input.from));
          }
          expect(lanes.size).toBe(total % maxInputs);
          expect(seen).toEqual(all.slice(0, seen.length).map(([from]) => from));
        },
      ),
    );
  });
});

describe('readiness', () => {
  it('is linger, from the oldest on, and lingersUntil says when', () => {
    const lanes = lanesOf(10);
    expect(lanes.nextLinger()).toBeUndefined();
    void submitTo(lanes, submission(pairsOf(2)));
    lanes.pass(4);
    void submitTo(lanes, submission(pairsOf(3), { fromObjectType: 'deals' }));
    expect(lanes.nextLinger()).toBe(LINGER_MS);
    expect(lanes.nextOne()).toBeUndefined();
    lanes.pass(LINGER_MS - 4);
    expect(lanes.nextOne(false)).toBeUndefined();
    expect(lanes.sealOne(false)).toBeUndefined();
    expect(lanes.nextOne()).toEqual({ full: false });
    expect(lanes.sealOne()).toMatchObject({
      trigger: 'linger',
      waitedMs: LINGER_MS,
      fromObjectType: 'contacts',
    });
    expect(lanes.nextLinger()).toBe(4 + LINGER_MS);
    expect(lanes.nextOne()).toBeUndefined();
    lanes.flush();
    expect(lanes.sealOne(false)).toBeUndefined();
    expect(lanes.sealOne()).toMatchObject({ trigger: 'flush', fromObjectType: 'deals' });
  });

  it('goes to the lane whose oldest has waited longest, full or not', () => {
    const lanes = lanesOf(3);
    void submitTo(lanes, submission(pairsOf(1)));
    lanes.pass(LINGER_MS);
    void submitTo(lanes, submission(pairsOf(7), { fromObjectType: 'deals' }));
    expect(lanes.sealOne(false)).toMatchObject({ fromObjectType: 'deals', trigger: 'full' });
    expect(lanes.sealOne()).toMatchObject({ fromObjectType: 'contacts', trigger: 'linger' });
    expect(lanes.sealOne()).toMatchObject({ fromObjectType: 'deals', trigger: 'full' });
    expect(lanes.size).toBe(1);
  });

  it('is announced when it comes earlier than was known: by the first, or by a lane that fills up', () => {
    const one = lanesOf(4);
    void submitTo(one, submission(pairsOf(1)));
    expect(one.changes).toBe(1);
    void submitTo(one, submission(pairsOf(2)));
    expect(one.changes).toBe(1);
    void submitTo(one, submission(pairsOf(1)));
    expect(one.changes).toBe(2);
    void submitTo(one, submission(pairsOf(9)));
    expect(one.changes).toBe(2);
  });
});

it('suspects never share an input with other types, however full the batch', () => {
  const lanes = lanesOf(2_000);
  const pairs = pairsOf(3);
  for (const types of [[type(1)], [type(2)], [type(1)]])
    void submitTo(lanes, submission(pairs, { suspicion: 1, types }));
  lanes.flush();
  const first = lanes.sealOne();
  const second = lanes.sealOne();
  expect(lanes.size).toBe(0);
  expect(
    inputsOf(first as Batch).map(input => [typesText(input.types), input.merged, input.waiters.length]),
  ).toEqual(Array(3).fill(['HUBSPOT_DEFINED:1', false, 2]));
  expect(inputsOf(second as Batch).map(({ types }) => typesText(types))).toEqual(
    Array(3).fill('HUBSPOT_DEFINED:2'),
  );
});

it('an empty submission has its outcomes at once', async () => {
  expect(await submitTo(lanesOf(1), submission([]))).toEqual([]);
});

it('an input that is settled twice is an error, not a second outcome', () => {
  const lanes = lanesOf(1);
  void submitTo(lanes, submission(pairsOf(1)));
  const inputs = lanes.sealOne()?.inputs;
  inputs?.settle(0, CREATED);
  expect(() => inputs?.settle(0, CREATED)).toThrow(/settled twice/);
});

it.each([
  [2_000, [2_000, 1_000, 500, 250, 1, 1, 1]],
  [10, [10, 5, 2, 1, 1, 1, 1]],
  [1, [1, 1, 1, 1, 1, 1, 1]],
])('batches of at most %d are halved with suspicion', (maxInputs, limits) => {
  expect([0, 1, 2, 3, 10, 11, 2_000].map(suspicion => batchLimit(maxInputs, suspicion))).toEqual(limits);
});
