/** Delivery of one batch: for every answer of HubSpot, the outcome of each input, and the number of calls. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { Answer } from '../../src/hubspot/classify.js';
import type { Slot } from '../../src/hubspot/departure.js';
import { type Permit, Quota } from '../../src/hubspot/quota.js';
import { Turnstile } from '../../src/hubspot/turnstile.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { pairName } from '../../src/shared/contract/object-types.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { Notifier } from '../../src/shared/runtime/wait.js';
import type { Outcome } from '../../src/worker/batches/outcome.js';
import { Delivery, type DeliveryParts } from '../../src/worker/calls/delivery.js';
import { Evidence } from '../../src/worker/calls/evidence.js';
import { Gate } from '../../src/worker/calls/gate.js';
import { type Search, Searches } from '../../src/worker/calls/searches.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import {
  AT,
  answerOf,
  createdBody,
  type Input,
  inputsIn,
  openBatch,
  pairsOf,
  type SampleJob,
} from '../support/worker-samples.js';

const test = useRedis(import.meta.url);
/** a zone in which it is about noon: no test meets a midnight */
const NOON = `Etc/GMT${new Date().getUTCHours() >= 12 ? '+' : '-'}${Math.abs(new Date().getUTCHours() - 12)}`;
const FIRST_PAUSE_MS = 30;

let keys: Keys;
let quota: Quota;
let evidence: Evidence;
const connections: Redis[] = [];
const newQuota = (redis: Redis) =>
  new Quota(redis, keys, {
    limit: 10_000,
    windowMs: 1_000,
    dailyLimit: 0,
    timeZone: NOON,
    probeMs: 60_000,
    firstPauseMs: FIRST_PAUSE_MS,
  });
beforeEach(() => {
  keys = accountKeys(test.newPrefix());
  quota = newQuota(test.redis);
  evidence = new Evidence(() => performance.now());
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.disconnect();
});

/** From Redis, where the record of a hold outlives the hold itself, which ends after {@link FIRST_PAUSE_MS}. */
const heldRecord = async (name: string): Promise<{ reason: string; strikes: number }> =>
  JSON.parse((await test.redis.hget(keys.heldPairs, name)) ?? '{}');
const heldReason = async (): Promise<string> =>
  (await heldRecord(pairName('contacts', 'companies', 'HUBSPOT_DEFINED:279'))).reason;

async function permit(): Promise<Permit> {
  const answer = await quota.ask(false);
  if (answer.kind !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
  return answer;
}

const gateOf = (quota: Quota) =>
  new Gate({
    ...{ quota, turnstile: new Turnstile(quota), maxConcurrentCalls: 10 },
    ...{ searches: searchesOf(), flow: { foundHigh: () => {} }, work: new Notifier() },
  });
const searchesOf = () => new Searches(10, new Notifier());

/** HubSpot's answer to the inputs of a call. */
type Say = (inputs: readonly Input[], signal: AbortSignal) => Answer | Promise<Answer>;
const created: Say = inputs => answerOf(201, createdBody(inputs));
const status =
  (code: number, body: unknown = { status: 'error', message: `it is ${code}` }, retryAfterMs?: number): Say =>
  () =>
    answerOf(code, body, retryAfterMs);
const error = (more: object = {}) => ({
  status: 'error',
  message: 'One or more associations are invalid',
  category: 'VALIDATION_ERROR',
  ...more,
});
const none: Say = () => ({ kind: 'none', at: AT, category: 'TIMEOUT', message: 'no answer within 30000 ms' });
/** A refusal without names for every call that contains one of these inputs. */
const refusing =
  (bad: (input: Input) => boolean, otherwise: Say = created): Say =>
  (inputs, signal) =>
    inputs.some(bad) ? answerOf(400, error()) : otherwise(inputs, signal);

type Setup = {
  jobs?: readonly SampleJob[];
  pairs?: number;
  /** one for each call, the last one for all further calls */
  says: readonly Say[];
  /** results of renewing the token, one for each time; then no newer token */
  tokens?: readonly boolean[];
  given?: Permit;
  signal?: AbortSignal;
  parts?: Partial<DeliveryParts>;
};

async function deliver(setup: Setup) {
  const { says, tokens = [], signal = new AbortController().signal } = setup;
  const { batch, outcomes } = openBatch(setup.jobs ?? [{ pairs: pairsOf(setup.pairs ?? 3) }]);
  const calls: (readonly Input[])[] = [];
  const statuses: string[] = [];
  let renewals = 0;
  const delivery = new Delivery({
    caller: {
      create: async (call, signal) => {
        expect(call).toMatchObject({ fromObjectType: 'contacts', toObjectType: 'companies' });
        const inputs = inputsIn(call.columns);
        calls.push(inputs);
        const say = says[Math.min(calls.length, says.length) - 1] as Say;
        return say(inputs, signal);
      },
    },
    quota,
    gate: gateOf(quota),
    searches: searchesOf(),
    evidence,
    windowMs: 40,
    renewToken: async () => tokens[renewals++] ?? false,
    report: { call: status => statuses.push(status), expired: () => {} },
    logger: createLogger('silent', 'test'),
    ...setup.parts,
  });
  const turn = { kind: 'turn' as const, permit: setup.given ?? (await permit()), leave: () => {} };
  const report = await delivery.deliver(batch, turn, signal);
  const settled = (await Promise.all(outcomes)).flat();
  const counts = { created: 0, retry: 0, rejected: 0, held: 0 };
  for (const { kind } of settled) counts[kind] += 1;
  expect(report.counts).toEqual(counts);
  expect(report.calls).toBe(calls.length);
  return { counts, outcomes: settled, calls: calls.map(inputs => inputs.length), statuses, renewals };
}

const failureOf = (outcome: Outcome | undefined) =>
  outcome?.kind === 'retry' || outcome?.kind === 'rejected' ? outcome.failure : undefined;
const holdOf = (outcome: Outcome | undefined) => (outcome?.kind === 'held' ? outcome.hold : undefined);
const holdHash = () => test.redis.hgetall(keys.hold);

describe('a call that was too late for its permit', () => {
  it('is not sent: the batch keeps its inputs, gets a new permit, and spends nothing', async () => {
    const expired: number[] = [];
    const slots: Slot[] = [];
    const { batch, outcomes } = openBatch([{ pairs: pairsOf(3) }]);
    const given = await permit();
    const delivery = new Delivery({
      caller: {
        create: async (call, _signal, slot) => {
          slots.push(slot);
          if (slots.length < 3) return { kind: 'not-sent', lateMs: 700 };
          return answerOf(201, createdBody(inputsIn(call.columns)));
        },
      },
      quota,
      gate: gateOf(quota),
      searches: searchesOf(),
      evidence,
      windowMs: 40,
      renewToken: async () => false,
      report: { call: () => {}, expired: lateMs => expired.push(lateMs) },
      logger: createLogger('silent', 'test'),
    });
    const report = await delivery.deliver(
      batch,
      { kind: 'turn', permit: given, leave: () => {} },
      new AbortController().signal,
    );
    expect(report).toMatchObject({ calls: 1, counts: { created: 3, retry: 0, held: 0 }, answers: ['201'] });
    expect((await Promise.all(outcomes)).flat().map(({ kind }) => kind)).toEqual(Array(3).fill('created'));
    expect(expired).toEqual([700, 700]);
    expect(slots[0]).toEqual(given.slot);
    expect(new Set(slots.map(({ at }) => at)).size).toBe(3);
    // expired permits have left the window and the day
    expect(await test.redis.zcard(keys.window)).toBe(1);
    expect(await test.redis.hvals(keys.daily)).toEqual(['1']);
    expect(await holdHash()).toMatchObject({ late: expect.any(String) });
    expect(await holdHash()).not.toHaveProperty('failures');
  });
});

describe('an accepted call (2xx)', () => {
  it.each([200, 201, 207])('%d with everything in results: created, one call', async code => {
    const says: Say[] = [inputs => answerOf(code, createdBody(inputs))];
    expect(await deliver({ says, pairs: 2_000 })).toMatchObject({
      counts: { created: 2_000 },
      calls: [2_000],
      statuses: [String(code)],
    });
  });

  it('everybody who waits for an input gets its outcome', async () => {
    const jobs = [{ pairs: pairsOf(3) }, { pairs: pairsOf(2) }, { pairs: [...pairsOf(1), ...pairsOf(1)] }];
    expect(await deliver({ says: [created], jobs })).toMatchObject({ counts: { created: 7 }, calls: [3] });
  });

  it('errors that name ids: by category; the others as results say', async () => {
    const errors = [
      error({ category: 'OBJECT_NOT_FOUND', context: { objectType: ['contact'], id: ['1'] } }),
      error({ message: '2 is not a valid ID' }),
      error({ category: 'HICCUP', context: { objectType: ['contact'], id: ['3'] } }),
    ];
    const says: Say[] = [inputs => answerOf(207, createdBody(inputs.slice(3), { errors }))];
    const { counts, calls, outcomes } = await deliver({ says, pairs: 5 });
    expect({ counts, calls }).toEqual({ counts: { created: 2, retry: 1, rejected: 2, held: 0 }, calls: [5] });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['rejected', 'rejected', 'retry', 'created', 'created']);
    expect(failureOf(outcomes[0])).toMatchObject({ at: AT, httpStatus: 207, category: 'OBJECT_NOT_FOUND' });
  });

  it('one input in neither list: asked again alone, then retried as without effect', async () => {
    const says: Say[] = [inputs => answerOf(201, createdBody(inputs.filter(({ from }) => from !== '7')))];
    const { counts, calls, outcomes } = await deliver({ says, pairs: 20 });
    expect({ counts, calls }).toEqual({
      counts: { created: 19, retry: 1, rejected: 0, held: 0 },
      calls: [20, 1],
    });
    expect(failureOf(outcomes[6])).toMatchObject({ category: 'NO_EFFECT', httpStatus: 201 });
  });

  it('accepted, and all of it without effect the first time: sent again in halves', async () => {
    const says: Say[] = [status(201, { status: 'COMPLETE', results: [] }), created];
    expect(await deliver({ says, pairs: 8 })).toMatchObject({ counts: { created: 8 } });
  });

  it('an error without names, for an input alone in its call, means this input', async () => {
    const says: Say[] = [
      status(207, {
        status: 'COMPLETE',
        results: [],
        numErrors: 1,
        errors: [
          {
            status: 'error',
            category: 'VALIDATION_ERROR',
            message: 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED',
          },
        ],
      }),
    ];
    expect(await deliver({ says, pairs: 1 })).toMatchObject({ counts: { rejected: 1 }, calls: [1] });
  });

  it('without JSON it was not HubSpot: retry', async () => {
    expect(await deliver({ says: [status(200, null)] })).toMatchObject({
      counts: { retry: 3 },
      calls: [3],
    });
  });
});

describe('a refusal', () => {
  it('that names an id: rejected, the rest is sent again at once', async () => {
    const context = {
      INVALID_OBJECT_IDS: ['CONTACT=2 is not valid'],
      objectId: ['2'],
      objectType: ['CONTACT'],
    };
    const { counts, calls, outcomes } = await deliver({
      says: [status(400, error({ context })), created],
      pairs: 9,
    });
    expect({ counts, calls }).toEqual({
      counts: { created: 8, retry: 0, rejected: 1, held: 0 },
      calls: [9, 8],
    });
    expect(failureOf(outcomes[1])).toMatchObject({ httpStatus: 400, category: 'VALIDATION_ERROR' });
  });

  it('that names no input: halved until the invalid one is alone', async () => {
    const says = [refusing(({ from }) => from === '1234')];
    const { counts, calls, outcomes } = await deliver({ says, pairs: 2_000 });
    expect(counts).toEqual({ created: 1_999, retry: 0, rejected: 1, held: 0 });
    expect(outcomes[1_233]?.kind).toBe('rejected');
    expect(calls.length).toBeLessThanOrEqual(25);
  });

  it('of too many bad inputs: within the budget of calls; who is left over is retried', async () => {
    const says = [refusing(({ from }) => Number(from) % 100 === 0)];
    const { counts, calls } = await deliver({ says, pairs: 2_000 });
    expect(calls.length).toBeLessThanOrEqual(25);
    expect(counts.created + counts.retry + counts.rejected).toBe(2_000);
    expect(counts.retry).toBeGreaterThan(0);
    expect(counts.created).toBeGreaterThan(0);
  });

  it('of everything: the object pair with these types is held, at the price of a few calls', async () => {
    const { counts, calls } = await deliver({ says: [refusing(() => true)], pairs: 2_000 });
    expect(counts).toMatchObject({ created: 0, held: 0 });
    expect(counts.rejected).toBeLessThanOrEqual(3);
    expect(calls.length).toBeLessThanOrEqual(20);
    expect(await heldReason()).toMatch(/nothing is accepted/);
    expect(quota.heldPair('contacts', 'companies', 'HUBSPOT_DEFINED:1')).toBeUndefined();
  });

  it('of an input alone: rejected; other categories are retried', async () => {
    const rejected = await deliver({ says: [status(400, error({ correlationId: 'c' }))], pairs: 1 });
    expect(rejected.counts).toMatchObject({ rejected: 1 });
    expect(failureOf(rejected.outcomes[0])).toMatchObject({ correlationId: 'c' });
    const retried = await deliver({ says: [status(409, error({ category: 'CONFLICT' }))], pairs: 1 });
    expect(retried.counts).toMatchObject({ retry: 1 });
  });

  it('for an unknown object type: all rejected together', async () => {
    const says = [status(400, { status: 'error', message: 'Unable to infer object type from: contacts' })];
    expect(await deliver({ says, pairs: 700 })).toMatchObject({ counts: { rejected: 700 }, calls: [700] });
  });

  it('for a type id: all who have it are rejected together', async () => {
    const context = { associationSpec: ['USER_DEFINED=3'] };
    const jobs: SampleJob[] = [
      {
        pairs: pairsOf(4).slice(0, 2),
        types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 3 }],
      },
      { pairs: pairsOf(4).slice(2) },
    ];
    const says = [status(400, error({ context })), created];
    expect(await deliver({ says, jobs })).toMatchObject({
      counts: { rejected: 2, created: 2 },
      calls: [4, 2],
    });
  });

  it('of merged inputs: every waiter is judged separately before one is rejected', async () => {
    const jobs: SampleJob[] = [
      { pairs: pairsOf(2) },
      { pairs: pairsOf(1), types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 3 }] },
    ];
    const context = { objectId: ['1', '2'], objectType: ['CONTACT'] };
    const named = await deliver({ says: [status(400, error({ context }))], jobs });
    expect(named.outcomes.map(({ kind }) => kind)).toEqual(['retry', 'rejected', 'retry']);
    const alone = await deliver({
      says: [status(400, error())],
      jobs: jobs.map(({ pairs, types }) => ({ pairs: pairs.slice(0, 1), ...(types && { types }) })),
    });
    expect(alone).toMatchObject({ counts: { retry: 2 }, calls: [1] });
  });
});

describe('a refusal without a category, which may not be about inputs at all', () => {
  const malformed = {
    status: 'error',
    message: 'Invalid input JSON on line 1, column 1: …',
    correlationId: 'c',
  };
  const refusingMutely =
    (isBad: (input: Input) => boolean): Say =>
    (inputs, signal) =>
      inputs.some(isBad) ? answerOf(400, malformed) : created(inputs, signal);

  it('of everything: two calls, no input is rejected, no attempt is spent, the object pair is held', async () => {
    const { counts, calls } = await deliver({ says: [status(400, malformed)], pairs: 300 });
    expect({ counts, calls }).toEqual({
      counts: { created: 0, retry: 0, rejected: 0, held: 300 },
      calls: [300, 1],
    });
    expect(await heldReason()).toMatch(/Invalid input JSON/);
  });

  it('of an input that is alone, and of two: held', async () => {
    expect(await deliver({ says: [status(400, malformed)], pairs: 1 })).toMatchObject({
      counts: { held: 1 },
    });
    expect(await deliver({ says: [status(400, malformed)], pairs: 2 })).toMatchObject({
      counts: { held: 2 },
    });
  });

  it('of one bad input among good ones: it is found, and rejected once others were accepted after it', async () => {
    const says = [refusingMutely(({ from }) => from === '17')];
    const first = await deliver({ says, pairs: 40 });
    expect(first.counts).toEqual({ created: 39, retry: 1, rejected: 0, held: 0 });
    const again = await deliver({ says, jobs: [{ pairs: pairsOf(17).slice(16) }] });
    expect(again.counts).toMatchObject({ rejected: 1 });
    expect(failureOf(again.outcomes[0])).toMatchObject({ message: malformed.message, correlationId: 'c' });
  });

  it('of an input alone, again and again: held, until others are accepted after it', async () => {
    const says = [refusingMutely(({ from }) => from === '17')];
    const bad = [{ pairs: pairsOf(17).slice(16) }];
    for (let time = 0; time < 3; time++)
      expect(await deliver({ says, jobs: bad })).toMatchObject({ counts: { held: 1, rejected: 0 } });
    expect(await deliver({ says, pairs: 5 })).toMatchObject({ counts: { created: 5 } });
    expect(await deliver({ says, jobs: bad })).toMatchObject({ counts: { rejected: 1 } });
  });

  const hublet = {
    status: 'error',
    message: 'Hub 1234567 is unknown to this Hublet, but it appears to exist in Hublet eu1',
    correlationId: 'c',
    correctHublet: 'eu1',
  };

  it('in words about the account: the account is held until a probe is answered, and nothing is rejected', async () => {
    const seen: Record<string, string>[] = [];
    const says: Say[] = [
      status(400, hublet),
      async inputs => {
        seen.push(await holdHash());
        return created(inputs, new AbortController().signal);
      },
    ];
    expect(await deliver({ says, pairs: 2 })).toMatchObject({ counts: { created: 2 }, calls: [2, 2] });
    expect(seen[0]).toMatchObject({ kind: 'account', reason: expect.stringContaining('Hublet eu1') });
  });

  it('in such words, while others are accepted: it is what the batch holds', async () => {
    const says: Say[] = [
      status(400, hublet),
      inputs => {
        evidence.accepted(['deals/contacts HUBSPOT_DEFINED:3']);
        return inputs.length > 0 ? answerOf(400, hublet) : answerOf(500, null);
      },
      status(400, hublet),
    ];
    expect(await deliver({ says, pairs: 3 })).toMatchObject({ counts: { held: 3 }, calls: [3, 3, 1] });
  });
});

describe('an object pair of which nothing is accepted', () => {
  it('is held after the whole and three alone', async () => {
    const { calls } = await deliver({ says: [refusing(() => true)], pairs: 2_000 });
    expect(calls).toEqual([2_000, 1, 1, 1]);
  });

  it('is not held where HubSpot has named some of its inputs: it is the inputs that are at fault', async () => {
    const says: Say[] = [
      inputs => answerOf(400, error({ context: { objectId: inputs.slice(0, 500).map(({ from }) => from) } })),
      refusing(() => true),
    ];
    const { counts } = await deliver({ says, pairs: 600 });
    expect(counts.rejected).toBeGreaterThan(500); // the named ones, and those that were refused alone
    expect(counts.held).toBe(0);
    expect(quota.holdsPairs).toBe(false);
    // the next refusal names no input, but the inputs are the cause
    await deliver({ says: [refusing(() => true)], pairs: 100 });
    expect(quota.holdsPairs).toBe(false);
  });

  it('is held after two accepted calls that mention no input', async () => {
    const silent = status(201, { status: 'COMPLETE', results: [] });
    const { counts, calls } = await deliver({ says: [silent], pairs: 2_000 });
    expect(calls).toHaveLength(2);
    expect(counts).toMatchObject({ retry: 2_000 });
    expect(await heldReason()).toMatch(/without effect/);
  });

  it('is not searched any more when another replica holds it meanwhile', async () => {
    const says: Say[] = [
      refusing(() => true),
      async (inputs, signal) => {
        await quota.holdPair(pairName('contacts', 'companies', 'HUBSPOT_DEFINED:279'), 'nothing', {
          leastMs: 5_000,
        });
        return refusing(() => true)(inputs, signal);
      },
    ];
    const { counts, calls } = await deliver({ says, pairs: 2_000 });
    expect(calls).toHaveLength(2);
    expect(counts.held).toBeGreaterThanOrEqual(1_999);
  });
});

it('a held object pair keeps HubSpot’s reason, bounded and cleaned', async () => {
  const context = {
    requiredGranularScopes: [
      'crm.objects.contacts.write',
      `x${String.fromCharCode(27)}[31m${'y'.repeat(500)}`,
    ],
  };
  const body = error({
    message: 'missing scopes',
    category: 'MISSING_SCOPES',
    errors: [{ message: 'scopes', context }],
  });
  const { outcomes } = await deliver({ says: [status(403, body)] });
  const reason = holdOf(outcomes[0])?.reason ?? '';
  expect(reason).toContain('missing scopes (requiredGranularScopes: crm.objects.contacts.write, x[31myyy');
  expect(reason.length).toBeLessThan(300);
});

describe('a call that is too large (413)', () => {
  const tooLarge =
    (most: number): Say =>
    (inputs, signal) =>
      inputs.length > most ? answerOf(413, undefined) : created(inputs, signal);

  it.each([
    [2_000, 500],
    [2_000, 40],
  ])('%d inputs where %d go through: halved, all created', async (pairs, most) => {
    const { counts } = await deliver({ says: [tooLarge(most)], pairs });
    expect(counts).toEqual({ created: pairs, retry: 0, rejected: 0, held: 0 });
  });

  it('is tried again when it has one input only', async () => {
    const { counts, calls, outcomes } = await deliver({ says: [tooLarge(0)], pairs: 4 });
    expect(counts).toMatchObject({ retry: 4 });
    expect(calls).toEqual([4, 2, 1]);
    expect(failureOf(outcomes[0])).toMatchObject({ httpStatus: 413 });
  });
});

describe('a call with a refused token (401)', () => {
  it('is sent again at once with a newer token, and nothing is held', async () => {
    const result = await deliver({ says: [status(401), created], tokens: [true] });
    expect(result).toMatchObject({
      counts: { created: 3 },
      calls: [3, 3],
      renewals: 1,
      statuses: ['401', '201'],
    });
    expect(await holdHash()).toEqual({});
  });

  it('holds the account until a probe is answered when there is no newer token, and rejects nothing', async () => {
    const seen: Record<string, string>[] = [];
    const says: Say[] = [
      status(401),
      async inputs => {
        seen.push(await holdHash());
        return created(inputs, new AbortController().signal);
      },
    ];
    const result = await deliver({ says });
    expect(result).toMatchObject({ counts: { created: 3 }, calls: [3, 3] });
    expect(seen[0]).toMatchObject({ kind: 'auth', strikes: '1', reason: expect.stringContaining('401') });
    expect((await quota.ask(false)).kind).toBe('granted');
  });

  it('is sent again at once when a probe finds a newer token', async () => {
    await quota.holdGrowing('auth', 'bad token', await permit());
    const probe = await eventually(permit);
    expect(probe.probe).toBe(true);
    const ending = new AbortController();
    const slow = setTimeout(() => ending.abort(), 3_000);
    const result = await deliver({
      says: [status(401), created],
      tokens: [true],
      given: probe,
      signal: ending.signal,
    });
    clearTimeout(slow);
    expect(result).toMatchObject({ counts: { created: 3 }, calls: [3, 3] });
  });
});

it('a 403 holds and reports the object pair, and spends no attempt', async () => {
  const says = [status(403, error({ message: 'missing scopes', category: 'MISSING_SCOPES' }))];
  const { counts, calls, outcomes } = await deliver({ says });
  expect({ counts, calls }).toEqual({ counts: { created: 0, retry: 0, rejected: 0, held: 3 }, calls: [3] });
  expect(holdOf(outcomes[0])).toMatchObject({ scope: 'pair', reason: '403 from HubSpot: missing scopes' });
  expect(await heldRecord('contacts/companies')).toMatchObject({ strikes: 1 });
  expect((await quota.ask(false)).kind).toBe('granted');
});

it('a failure by the weather has its time from Redis, so that a replica whose clock is days ahead ends no pair’s patience', async () => {
  const ahead = new Date(Date.now() + 172_800_000).toISOString();
  const { outcomes } = await deliver({ says: [() => ({ ...answerOf(503, {}), at: ahead })] });
  const at = Date.parse(failureOf(outcomes[0])?.at ?? '');
  expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
});

it('a 423 holds the object pair for two seconds at least', async () => {
  const { outcomes } = await deliver({ says: [status(423)] });
  expect(holdOf(outcomes[2])).toMatchObject({ scope: 'pair', reason: expect.stringContaining('423') });
  expect(holdOf(outcomes[2])?.forMs).toBeGreaterThan(1_900);
});

it('an accepted input frees its object pair and types', async () => {
  await quota.holdPair(pairName('contacts', 'companies'), 'locked', { leastMs: 60_000 });
  await quota.holdPair(pairName('contacts', 'companies', 'HUBSPOT_DEFINED:279'), 'nothing', {
    leastMs: 60_000,
  });
  await quota.holdPair(pairName('contacts', 'companies', 'HUBSPOT_DEFINED:1'), 'other types', {
    leastMs: 60_000,
  });
  await deliver({ says: [created] });
  expect(await test.redis.hkeys(keys.heldPairs)).toEqual(['contacts/companies HUBSPOT_DEFINED:1']);
});

it('a search counts the inputs that are invalid, however many associations wait for one', async () => {
  const searches = searchesOf();
  const begun: (Search | undefined)[] = [];
  const { counts } = await deliver({
    jobs: [{ pairs: pairsOf(8) }, { pairs: pairsOf(8) }],
    says: [refusing(({ from }) => from === pairsOf(8)[0]?.[0])],
    parts: {
      searches: {
        begin: inputs => {
          begun.push(searches.begin(inputs));
          return begun[0];
        },
        end: search => searches.end(search),
        againMs: searches.againMs,
      },
    },
  });
  expect(counts).toMatchObject({ created: 14, rejected: 2 });
  expect(begun).toEqual([{ inputs: 8, invalid: 1 }]);
});

describe('a call over a limit (429, 477)', () => {
  it.each<[string, Say]>([
    ['429 with Retry-After', status(429, { policyName: 'TEN_SECONDLY_ROLLING' }, 30)],
    ['429 without', status(429, { policyName: 'TEN_SECONDLY_ROLLING' })],
    ['477', status(477, null, 30)],
  ])('%s: held, sent again, no attempt is spent', async (_, say) => {
    const since = performance.now();
    const result = await deliver({ says: [say, say, created] });
    expect(result).toMatchObject({ counts: { created: 3 }, calls: [3, 3, 3] });
    expect(performance.now() - since).toBeGreaterThanOrEqual(58);
  });

  it('DAILY: held until the reset, and given back', async () => {
    const { counts, calls, outcomes } = await deliver({ says: [status(429, { policyName: 'DAILY' })] });
    expect({ counts, calls }).toMatchObject({ counts: { held: 3 }, calls: [3] });
    expect(holdOf(outcomes[0])).toMatchObject({ scope: 'account', reason: expect.stringContaining('429') });
    expect(holdOf(outcomes[0])?.forMs).toBeGreaterThan(10 * 3_600_000);
  });

  it('leaves settled what an isolation has settled so far', async () => {
    const isBad = ({ from }: Input) => from === '5';
    const says: Say[] = [refusing(isBad), refusing(isBad), status(477, null, 86_400_000)];
    const { counts } = await deliver({ says, pairs: 100 });
    expect(counts.held).toBe(100 - counts.created);
    expect(counts.rejected + counts.retry).toBe(0);
  });
});

describe('a call that HubSpot, or the way to it, fails', () => {
  /** Numbers of calls with first-timers that succeeded and failed in the last minute. */
  const weather = async (ok: number, failed: number) => {
    const [seconds] = await test.redis.time();
    const slice = Math.floor(Number(seconds) / 5);
    await test.redis.hset(keys.weather, { [`${slice}:ok`]: ok, [`${slice}:failed`]: failed });
  };
  const retries = (outcomes: readonly Outcome[]) =>
    new Set(outcomes.map(one => (one.kind === 'retry' ? `${one.spends} ${one.suspicion}` : one.kind)));
  const pairAt = (at: number) => [{ pairs: [[`${at}`, '7']] as Pair[] }];

  it.each<[string, Say, string]>([
    ['500', status(500), 'HTTP_500'],
    ['502 in HTML', status(502, null), 'HTTP_502'],
    ['no answer', none, 'TIMEOUT'],
    ['404 of somebody else', status(404, null), 'HTTP_404'],
  ])('%s: retry, one call, which spends time and makes nobody suspect', async (_, say, category) => {
    const { counts, calls, outcomes } = await deliver({ says: [say] });
    expect({ counts, calls }).toMatchObject({ counts: { retry: 3 }, calls: [3] });
    expect(failureOf(outcomes[0])).toMatchObject({ category });
    expect(retries(outcomes)).toEqual(new Set(['time 0']));
    expect(await holdHash()).toEqual({});
  });

  it.each<[string, number, number, number, string]>([
    ['in fine weather: the company is halved, no attempt is spent', 2_000, 100, 2, 'time 1'],
    ['in fine weather, a partial batch: half of what it was', 500, 100, 2, 'time 3'],
    ['in fine weather, alone: an attempt is spent', 1, 100, 2, 'attempt 12'],
    ['while others fail, too', 2_000, 90, 10, 'time 0'],
    ['while others fail, too, alone', 1, 90, 10, 'time 0'],
    ['while nothing else is sent, alone', 1, 0, 0, 'time 0'],
  ])('503 %s', async (_, pairs, ok, failed, expected) => {
    await weather(ok, failed);
    const { outcomes, calls } = await deliver({ says: [status(503)], pairs });
    expect(calls).toEqual([pairs]);
    expect(retries(outcomes)).toEqual(new Set([expected]));
  });

  it('leaves created what an isolation has created, and retries the others', async () => {
    const isBad = ({ from }: Input) => from === '1';
    const { counts, outcomes } = await deliver({
      says: [refusing(isBad), refusing(isBad), created, status(503)],
      pairs: 64,
    });
    expect(counts).toMatchObject({ rejected: 0, held: 0 });
    expect(counts.created).toBeGreaterThan(0);
    expect(counts.retry).toBe(64 - counts.created);
    // HubSpot refused them together with others before, so they go on in smaller batches
    expect(retries(outcomes)).toEqual(new Set(['created', 'time 4']));
  });

  it('holds the account as the fifth in a row, and gives back a probe that fails, too', async () => {
    for (let batch = 0; batch < 5; batch++) await deliver({ says: [none], jobs: pairAt(batch) });
    expect(await holdHash()).toMatchObject({ kind: 'unavailable', strikes: '1' });
    const probe = await eventually(permit);
    expect(probe.probe).toBe(true);
    const failed = await deliver({ says: [status(503)], given: probe });
    expect({ calls: failed.calls, retries: retries(failed.outcomes) }).toEqual({
      calls: [3],
      retries: new Set(['time 0']),
    });
    expect(await holdHash()).toMatchObject({ kind: 'unavailable', strikes: '2' });
    const next = await eventually(permit);
    expect(await deliver({ says: [created], given: next })).toMatchObject({ counts: { created: 3 } });
    expect((await holdHash()).strikes).toBeUndefined();
    expect(await quota.ask(false)).toMatchObject({ kind: 'granted', probe: false });
  });

  it('starts the count again after a success', async () => {
    for (let batch = 0; batch < 4; batch++) await deliver({ says: [none], jobs: pairAt(batch) });
    await deliver({ says: [created] });
    for (let batch = 0; batch < 4; batch++) await deliver({ says: [none], jobs: pairAt(batch) });
    expect((await quota.ask(false)).kind).toBe('granted');
  });
});

describe('a fault of our own', () => {
  const expectGivenBack = ({ counts, outcomes }: { counts: object; outcomes: readonly Outcome[] }) => {
    expect(counts).toEqual({ created: 0, retry: 0, rejected: 0, held: 3 });
    expect(holdOf(outcomes[0])).toMatchObject({ scope: 'pair', forMs: 1_000 });
  };

  it('a call that throws: everybody is given back', async () => {
    const says: Say[] = [
      () => {
        throw new Error('a fault of ours');
      },
    ];
    expectGivenBack(await deliver({ says }));
  });

  it('a token that cannot be renewed because of a fault: everybody is given back', async () => {
    const renewToken = () => Promise.reject(new Error('ENOENT'));
    expectGivenBack(await deliver({ says: [status(401)], parts: { renewToken } }));
  });

  it.each<[string, Say]>([
    ['when a 429 is to be recorded', status(429)],
    ['when a failure is to be recorded', none],
    ['when an object pair is to be held', status(403)],
  ])('Redis is away %s: everybody is given back', async (_, say) => {
    const given = await permit();
    const away = openRedis(test.url, 'hasty');
    connections.push(away);
    await away.connect();
    away.disconnect();
    const broken = newQuota(away);
    const parts = { quota: broken, gate: gateOf(broken) };
    expectGivenBack(await deliver({ says: [say], given, parts }));
  });

  it('Redis goes away in the middle of an isolation: what was created stays created', async () => {
    const given = await permit();
    const going = openRedis(test.url, 'hasty');
    connections.push(going);
    await going.connect();
    const lame = newQuota(going);
    const isBad = ({ from }: Input) => from === '1';
    const says: Say[] = [
      refusing(isBad),
      refusing(isBad),
      (inputs, signal) => {
        going.disconnect();
        return created(inputs, signal);
      },
    ];
    const { counts } = await deliver({
      says,
      pairs: 64,
      given,
      parts: { quota: lame, gate: gateOf(lame) },
    });
    expect(counts.created).toBeGreaterThan(0);
    expect(counts.held).toBe(64 - counts.created);
  });
});

describe('the end of the process', () => {
  it('ends the call in flight and gives everything back', async () => {
    const ending = new AbortController();
    const says: Say[] = [
      (_, signal) =>
        new Promise(resolve => {
          signal.addEventListener('abort', () =>
            resolve({ kind: 'none', at: AT, category: 'CONNECTION_ERROR', message: 'canceled' }),
          );
          ending.abort();
        }),
    ];
    const { counts, outcomes } = await deliver({ says, signal: ending.signal });
    expect(counts).toMatchObject({ held: 3 });
    expect(holdOf(outcomes[0])).toMatchObject({ scope: 'shutdown' });
    expect(await holdHash()).toEqual({});
  });

  it('takes an answer that has come all the same', async () => {
    const ending = new AbortController();
    const says: Say[] = [
      (inputs, signal) => {
        ending.abort();
        return created(inputs, signal);
      },
    ];
    expect(await deliver({ says, signal: ending.signal })).toMatchObject({ counts: { created: 3 } });
  });

  it('sends nothing more, and gives back what an isolation has not settled', async () => {
    const ending = new AbortController();
    const says: Say[] = [
      inputs => {
        ending.abort();
        return answerOf(207, createdBody(inputs.slice(2), { errors: [error()] }));
      },
    ];
    const { counts, calls, outcomes } = await deliver({ says, pairs: 10, signal: ending.signal });
    expect({ counts, calls }).toMatchObject({ counts: { created: 8, held: 2 }, calls: [10] });
    expect(holdOf(outcomes[0])).toMatchObject({ scope: 'shutdown' });
  });

  it('ends a wait for a hold', async () => {
    const ending = new AbortController();
    const says: Say[] = [
      () => {
        setImmediate(() => ending.abort());
        return answerOf(429, {}, 50_000);
      },
    ];
    const { counts, calls } = await deliver({ says, signal: ending.signal });
    expect({ counts, calls }).toMatchObject({ counts: { held: 3 }, calls: [3] });
  });
});
