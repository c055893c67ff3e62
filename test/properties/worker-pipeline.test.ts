/**
 * The worker between Redis and HubSpot, whole: jobs of every kind → processor, lanes, delivery, request and answer →
 * the ledger. Only Redis and HubSpot are stood in for. Whatever HubSpot says, every job ends exactly once, is settled at
 * most once, and is only then created if a call accepted each of its pairs with its types; no call holds a pair twice.
 */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FetchedJob } from '../../src/bullmq/fetched-job.js';
import type { JobQueue } from '../../src/bullmq/job-queue.js';
import type { Answer } from '../../src/hubspot/classify.js';
import type { Permit, Quota } from '../../src/hubspot/quota.js';
import type { AssociationType, JobData, Pair } from '../../src/shared/contract/association.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Notifier } from '../../src/shared/runtime/wait.js';
import { type Call, packColumns, unpackColumns } from '../../src/worker/batches/columns.js';
import type { Outcome } from '../../src/worker/batches/outcome.js';
import { Delivery } from '../../src/worker/calls/delivery.js';
import { Evidence } from '../../src/worker/calls/evidence.js';
import type { Entry, Turn } from '../../src/worker/calls/gate.js';
import { requestBody } from '../../src/worker/calls/request-body.js';
import { listsAll } from '../../src/worker/calls/results.js';
import { Searches } from '../../src/worker/calls/searches.js';
import type { LedgerEntry } from '../../src/worker/jobs/ledger.js';
import { Processor } from '../../src/worker/jobs/processor.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { AT, answerOf, SampleLanes } from '../support/worker-samples.js';

type RequestBody = {
  inputs: { from: { id: string }; to: { id: string }; types: AssociationType[] }[];
};
type Inputs = RequestBody['inputs'];

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve));
const logger = createLogger('silent', 'test');
const SECOND_TYPE: AssociationType = { associationCategory: 'USER_DEFINED', associationTypeId: 7 };

class Round {
  readonly random: () => number;
  /** of each job: how often it has ended, and how often it was settled or moved without a settlement */
  readonly ended = new Map<string, number>();
  readonly settled = new Map<string, number>();
  /** from, to and type id of what a call accepted */
  readonly #accepted = new Set<string>();
  readonly #held = new Set<string>();
  readonly lanes: SampleLanes;
  readonly processor: Processor;
  readonly delivery: Delivery;
  calls = 0;
  oddCalls = 0;
  wholeJobs = 0;

  constructor(
    seed: number,
    private readonly maxInputs: number,
    private readonly trouble: number,
  ) {
    this.random = randomOf(seed);
    this.lanes = new SampleLanes(maxInputs);
    this.delivery = new Delivery({
      caller: { create: async call => this.#create(call) },
      quota: this.#quota() as unknown as Quota,
      gate: { pass: async () => this.#pass() },
      searches: new Searches(10, new Notifier()),
      evidence: new Evidence(() => performance.now()),
      windowMs: 1,
      renewToken: async () => true,
      report: { call: () => {}, expired: () => {} },
      logger,
    });
    const moved = async ({ id }: FetchedJob) => this.#note(this.settled, `moved ${id}`);
    const queue = { complete: moved, fail: moved, retry: moved, delay: moved, putBack: moved };
    this.processor = new Processor({
      queue: { ...queue, hold: async () => {} } as unknown as JobQueue,
      policy: { maxAttempts: 3, patienceHours: 24, backoffMs: 1 },
      ledger: { settle: entry => this.#settle(entry) },
      onEnd: ({ id }) => this.#note(this.ended, id),
      logger,
    });
  }

  job(at: number): FetchedJob {
    const { random } = this;
    const idSpace = this.#one(3, 50, 1e6);
    const isOdd = random() < this.trouble / 5;
    const id = () => {
      if (isOdd && random() < 0.1) return this.#one('abc', '007', 'é"x', '123456789012345678', '0');
      return String(1 + Math.floor(random() * idSpace) + (random() < 0.1 ? 2 ** 40 : 0));
    };
    const count = 1 + Math.floor(random() * this.#one(1, 5, 400));
    const data: JobData = {
      version: 1,
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      types: [random() < 0.75 ? CONTACT_TO_COMPANY : SECOND_TYPE],
      pairs: Array.from({ length: count }, (): Pair => [id(), id()]),
      ...(random() < 0.1 && { created: 3 }),
      ...(random() < 0.05 && { errors: [{ at: AT, attempt: 1, message: 'e', pairs: 1, httpStatus: 400 }] }),
    };
    return {
      id: String(at),
      token: 't',
      text: JSON.stringify(data),
      associations: count,
      high: random() < 0.2,
      standsAlone: random() < 0.9,
      isFirstAttempt: random() < 0.9,
      trace: undefined,
    };
  }

  async run(count: number): Promise<void> {
    const { lanes, random } = this;
    const deliveries: Promise<unknown>[] = [];
    const send = () => {
      const batch = lanes.sealOne();
      if (batch) deliveries.push(this.delivery.deliver(batch, turn(false), new AbortController().signal));
    };
    for (let at = 0; at < count; at++) {
      for (const submission of this.processor.open(this.job(at)))
        if (random() < 0.97) lanes.submit(submission);
        else submission.onOutcomes(new Array<Outcome>(submission.pairs.length).fill(HELD));
      if (random() < 0.3) send();
      if (random() < 0.02) lanes.release(() => (random() < 0.3 ? HELD : undefined));
    }
    while (lanes.size > 0) {
      send();
      if (random() < 0.2) await nextTurn();
    }
    await Promise.all(deliveries);
    for (let turns = 0; turns < 20; turns++) await nextTurn();
  }

  /** The call as the calling thread makes it, and HubSpot's answer as it passes it on. */
  #create(call: Call): Answer {
    this.calls += 1;
    const { ids, typeAt } = call.columns;
    const transfer = [ids.buffer, typeAt.buffer];
    const columns = unpackColumns(structuredClone(packColumns(call.columns), { transfer }));
    if (columns.texts.length > 0) this.oddCalls += 1;
    const { inputs } = JSON.parse(requestBody(columns).toString()) as RequestBody;
    expect(new Set(inputs.map(({ from, to }) => `${from.id} ${to.id}`)).size).toBe(inputs.length);
    expect(inputs.length).toBeGreaterThan(0);
    expect(inputs.length).toBeLessThanOrEqual(this.maxInputs);
    const answer = this.#answer(inputs);
    if (answer.kind === 'none' || answer.status >= 300) return answer;
    return listsAll(answer.body, columns) ? { ...answer, body: undefined, listsAll: true } : answer;
  }

  #answer(inputs: Inputs): Answer {
    const luck = this.random() * (0.5 + this.trouble / 2);
    if (luck < 0.5) return this.#accept(inputs.toReversed());
    if (luck < 0.55) return answerOf(429, { policyName: 'SECONDLY', message: 'x' }, 1);
    if (luck < 0.62) return this.#accept(inputs.filter((_, at) => at % 3 > 0));
    if (luck < 0.7) {
      const bad = inputs[Math.floor(this.random() * inputs.length)];
      const context = { fromObjectId: [bad?.from.id], toObjectId: [bad?.to.id] };
      const error = { status: 'error', category: 'VALIDATION_ERROR', message: 'bad', context };
      return this.#accept(
        inputs.filter(input => input !== bad),
        { errors: [error] },
      );
    }
    if (luck < 0.8) return answerOf(400, { status: 'error', message: 'no', category: 'VALIDATION_ERROR' });
    if (luck < 0.86) return answerOf(503, undefined);
    if (luck < 0.9) return { kind: 'none', at: AT, category: 'TIMEOUT', message: 't' };
    if (luck < 0.93) return answerOf(413, undefined);
    if (luck < 0.96) return answerOf(403, { status: 'error', message: 'm', category: 'MISSING_SCOPES' });
    if (luck < 0.98) throw new Error('Redis is away');
    return answerOf(401, { status: 'error', message: 'm' });
  }

  #accept(inputs: Inputs, more: object = {}): Answer {
    const results = inputs.map(({ from, to, types }) => {
      for (const { associationTypeId } of types)
        this.#accepted.add(`${from.id} ${to.id} ${associationTypeId}`);
      const isNumber = this.random() < 0.5 && /^[1-9]\d{0,14}$/.test(from.id);
      return { fromObjectId: isNumber ? Number(from.id) : from.id, toObjectId: to.id };
    });
    return answerOf('errors' in more ? 207 : 201, { status: 'COMPLETE', results, ...more });
  }

  #settle(entry: LedgerEntry): void {
    this.#note(this.settled, entry.jobId);
    if (entry.isSimple) this.#checkSimple(entry);
    const luck = this.random();
    setImmediate(() => entry.onSettled(luck < 0.9 || (luck < 0.95 ? false : new Error('OOM'))));
  }

  #checkSimple(entry: LedgerEntry): void {
    this.wholeJobs += 1;
    const { pairs, types } = JSON.parse((entry as unknown as { job: FetchedJob }).job.text) as JobData;
    expect(entry.created).toBe(pairs.length);
    expect(entry.batches).toMatch(/^w-\d+( w-\d+)*$/);
    const isAccepted = (pair: Pair) => {
      const [from, to] = pair.map(id => id.replace(/^0+(?=\d+$)/, '')); // 007 and 7 are one record
      return types.every(({ associationTypeId }) => this.#accepted.has(`${from} ${to} ${associationTypeId}`));
    };
    expect(pairs.filter(pair => !isAccepted(pair))).toEqual([]);
  }

  #pass(): Entry {
    if (this.random() < this.trouble / 100) return { kind: 'stopped', hold: NOT_NOW };
    return turn(this.random() < 0.3);
  }

  #quota() {
    const held = this.#held;
    const nothing = async () => {};
    return {
      get holdsPairs() {
        return held.size > 0;
      },
      ...{ answered: nothing, hold: nothing, holdGrowing: nothing, release: nothing },
      failed: async () => this.random() < 0.5,
      use: () => {},
      holdPair: async (name: string) => {
        held.add(name);
        return { until: Date.now() + 5, strikes: 1 };
      },
      heldOf: (names: readonly string[]) =>
        names.some(name => held.has(name)) && this.random() < 0.5
          ? { until: Date.now() + 5, reason: 'held', strikes: 1 }
          : undefined,
      freePair: async (...names: string[]) => {
        for (const name of names) held.delete(name);
      },
    };
  }

  #note(counts: Map<string, number>, id: string): void {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }

  #one<Value>(...values: Value[]): Value {
    return values[Math.floor(this.random() * values.length)] as Value;
  }
}

const NOT_NOW = { scope: 'account', forMs: 1, reason: 'not now' } as const;
const turn = (probe: boolean): Turn => ({
  kind: 'turn',
  permit: { kind: 'granted', probe } as Permit,
  leave: () => {},
});
const HELD = { kind: 'held', hold: { scope: 'pair', forMs: 1, reason: 'not now' } } as const;

it('every job ends once, is settled once at most, and is created only if it was', async () => {
  const seen = { plainCalls: 0, oddCalls: 0, wholeJobs: 0, otherJobs: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.constantFrom(1, 2, 7, 50, 300, 2_000),
      fc.constantFrom(0.1, 0.5, 1),
      fc.integer({ min: 1, max: 40 }),
      async (seed, maxInputs, trouble, jobs) => {
        const round = new Round(seed, maxInputs, trouble);
        await round.run(jobs);
        for (let at = 0; at < jobs; at++) {
          expect([String(at), round.ended.get(String(at))]).toEqual([String(at), 1]);
          expect(round.settled.get(String(at)) ?? 0).toBeLessThanOrEqual(1);
          expect(round.settled.get(`moved ${at}`) ?? 0).toBeLessThanOrEqual(1);
        }
        expect(round.lanes.size).toBe(0);
        seen.plainCalls += round.calls - round.oddCalls;
        seen.oddCalls += round.oddCalls;
        seen.wholeJobs += round.wholeJobs;
        seen.otherJobs += jobs - round.wholeJobs;
      },
    ),
    { numRuns: 80 },
  );
  // whatever can be was there
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});
