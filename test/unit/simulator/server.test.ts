/** The simulator over HTTP: creation, limits, reads, and its own endpoints. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type CallRecord, isCallersFault } from '../../../src/simulator/ledger.js';
import { type Simulator, startSimulator } from '../../../src/simulator/server.js';
import { eventually } from '../../support/eventually.js';

let simulator: Simulator;
afterEach(() => simulator.stop());

const TYPES = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];
const inputsOf = (pairs: [string, string][], types = TYPES) => ({
  inputs: pairs.map(([from, to]) => ({ from: { id: from }, to: { id: to }, types })),
});

async function call(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${simulator.url}${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
    headers: { Authorization: 'Bearer token', 'Content-Type': 'application/json', ...headers },
  });
  const text = await response.text();
  const json = (): Record<string, unknown> => JSON.parse(text);
  return { status: response.status, headers: response.headers, text, json };
}
const CREATE = '/crm/v4/associations/contacts/companies/batch/create';

describe('batch/create', () => {
  it('creates associations and answers in its own order, with ids as numbers', async () => {
    simulator = await startSimulator();
    const pairs = Array.from({ length: 50 }, (_, i): [string, string] => [`${211762804000 + i}`, `${i}`]);
    const answer = await call(CREATE, inputsOf(pairs));
    expect(answer.status).toBe(201);
    const body = answer.json() as { status: string; results: Record<string, unknown>[] };
    expect(body).toMatchObject({
      status: 'COMPLETE',
      startedAt: expect.any(String),
      completedAt: expect.any(String),
    });
    const ids = body.results.map(result => [result.fromObjectId, result.toObjectId]);
    const sent = pairs.map(pair => pair.map(Number));
    expect(ids).not.toEqual(sent);
    expect(new Set(ids.map(String))).toEqual(new Set(sent.map(String)));
    expect(body.results[0]).toMatchObject({ fromObjectTypeId: '0-1', toObjectTypeId: '0-2', labels: [] });
    expect(simulator.ledger.createdCount()).toBe(50);
    expect(simulator.ledger.has('contact', '0-2', '211762804007', '7')).toBe(true);
    expect(simulator.ledger.has('contact', '0-2', '211762804007', '8')).toBe(false);
  });

  it('keeps ids as text where a number would not be exact', async () => {
    simulator = await startSimulator({ shuffle: false });
    const answer = await call(CREATE, inputsOf([['9007199254740993', '007']]));
    expect(answer.text).toContain('"fromObjectId":"9007199254740993"');
    expect(answer.text).toContain('"toObjectId":"007"');
  });

  it('answers 207 with the errors beside the results', async () => {
    simulator = await startSimulator();
    const answer = await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['999000001', '3'],
        ['4', '997000001'],
      ]),
    );
    expect(answer.status).toBe(207);
    expect(answer.json()).toMatchObject({ numErrors: 1, results: [{ fromObjectId: 1, toObjectId: 2 }] });
    expect(simulator.ledger.createdCount()).toBe(1);
    expect(simulator.ledger.calls).toMatchObject([
      { n: 1, status: 207, inputs: 3, accepted: 1, counted: true },
    ]);
  });

  it('writes nothing of a refused call', async () => {
    simulator = await startSimulator({ refusal: 'whole' });
    const answer = await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['999000001', '3'],
      ]),
    );
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ status: 'error', correlationId: expect.stringMatching(/-/) });
    expect(simulator.ledger.createdCount()).toBe(0);
  });

  it('takes an association that exists, once, with the types of both', async () => {
    simulator = await startSimulator();
    const primary = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }];
    for (const types of [TYPES, TYPES, primary])
      expect((await call(CREATE, inputsOf([['1', '2']], types))).status).toBe(201);
    expect(simulator.ledger.createdCount()).toBe(1);
    expect(simulator.ledger.repeats).toBe(2);
    expect(simulator.ledger.get('contacts', 'companies', '1', '2')).toMatchObject({
      call: 1,
      types: [...TYPES, ...primary],
    });
  });

  it('refuses a duplicate pair, and counts it', async () => {
    simulator = await startSimulator();
    const answer = await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['1', '2'],
      ]),
    );
    expect(answer).toMatchObject({ status: 400 });
    expect(simulator.ledger.duplicates).toBe(1);
  });

  it.each([
    ['2025-09', 201],
    ['2026-03', 201],
    ['2026-09', 200],
  ])('version %s answers %d', async (version, status) => {
    simulator = await startSimulator();
    const path = `/crm/associations/${version}/0-1/0-2/batch/create`;
    expect((await call(path, inputsOf([['1', '2']]))).status).toBe(status);
  });

  it('drifts to any status between 200 and 207, with the same body', async () => {
    simulator = await startSimulator({ statusDrift: 200 });
    const answer = await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['x', '3'],
      ]),
    );
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ numErrors: 1 });
  });

  it('does not know every object type, path and method', async () => {
    simulator = await startSimulator();
    const answer = await call(CREATE.replace('companies', 'compnaies'), inputsOf([['1', '2']]));
    expect(answer.json()).toMatchObject({ message: 'Unable to infer object type from: compnaies' });
    expect((await call('/crm/v3/associations/0-1/0-2/batch/create', {})).status).toBe(404);
    expect((await call(CREATE)).status).toBe(404);
  });
});

describe('credentials and limits', () => {
  it('accepts only its token, and counts no call without it', async () => {
    simulator = await startSimulator({ accessToken: 'secret', rateLimitCalls: 1 });
    const wrong = await call(CREATE, inputsOf([['1', '2']]));
    expect(wrong.status).toBe(401);
    expect(wrong.json()).toMatchObject({ category: 'INVALID_AUTHENTICATION' });
    const right = await call(CREATE, inputsOf([['1', '2']]), { Authorization: 'Bearer secret' });
    expect(right.status).toBe(201);
  });

  it("answers 429 in HubSpot's words, and lets no more through than the window holds", async () => {
    simulator = await startSimulator({ rateLimitCalls: 2, rateLimitWindowMs: 60_000, retryAfter: true });
    const answers = await Promise.all(
      [1, 2, 3, 4].map(id => call(CREATE, inputsOf([[`${id}`, '2']]), { Connection: 'close' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.json()).toEqual({
      status: 'error',
      message: 'You have reached your ten_secondly_rolling limit.',
      errorType: 'RATE_LIMIT',
      policyName: 'TEN_SECONDLY_ROLLING',
      correlationId: expect.any(String),
    });
    expect(refused?.headers.get('retry-after')).toBe('60');
    expect(simulator.ledger.maxCallsInWindow(60_000)).toBe(2);
    expect(simulator.ledger.createdCount()).toBe(2);
  });

  it('says of a refused call how much too early it was, and how late this process itself was', async () => {
    simulator = await startSimulator({ rateLimitCalls: 1, rateLimitWindowMs: 60_000 });
    const { calls } = simulator.ledger;
    await call(CREATE, inputsOf([['1', '2']]));
    await call(CREATE, inputsOf([['2', '2']]));
    const before = await eventually(() => {
      const delay = calls[1]?.loopDelayMs;
      if (delay === undefined) throw new Error('it is not measured yet');
      return delay;
    });
    const busyUntil = performance.now() + before + 150; // longer than any delay of a busy machine until now
    while (performance.now() < busyUntil);
    await call(CREATE, inputsOf([['3', '2']]));
    const refused = calls[2];
    await eventually(() => expect(refused?.loopDelayMs).toBeGreaterThanOrEqual(before + 130));
    expect(refused?.earlyMs).toBeGreaterThan(50_000);
    expect(isCallersFault(refused as CallRecord)).toBe(true);
    expect(isCallersFault({ ...(refused as CallRecord), earlyMs: 100 })).toBe(false);
  });

  it('has a daily limit, without Retry-After, and headers where they are asked for', async () => {
    simulator = await startSimulator({ dailyCallLimit: 1, retryAfter: true, rateLimitHeaders: true });
    const first = await call(CREATE, inputsOf([['1', '2']]));
    expect(first.headers.get('x-hubspot-ratelimit-daily-remaining')).toBe('0');
    const second = await call(CREATE, inputsOf([['1', '2']]));
    expect(second.json()).toMatchObject({ policyName: 'DAILY', errorType: 'RATE_LIMIT' });
    expect(second.headers.get('retry-after')).toBeNull();
  });
});

describe('the other calls', () => {
  it('reads associations back', async () => {
    simulator = await startSimulator();
    await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['1', '3'],
        ['4', '5'],
      ]),
    );
    const read = await call(CREATE.replace('create', 'read'), { inputs: [{ id: '1' }, { id: '9' }] });
    const associationTypes = [{ category: 'HUBSPOT_DEFINED', typeId: 279, label: null }];
    expect(read.json().results).toEqual([
      {
        from: { id: '1' },
        to: [
          { toObjectId: 2, associationTypes },
          { toObjectId: 3, associationTypes },
        ],
      },
    ]);
    expect(simulator.ledger.summary(1_000)).toMatchObject({ calls: 1, otherCalls: 1 });
  });

  it('lists the labels of an object pair', async () => {
    simulator = await startSimulator({ customTypeIds: [36] });
    const answer = await call('/crm/v4/associations/contact/company/labels');
    expect(answer.json().results).toEqual([
      { category: 'HUBSPOT_DEFINED', typeId: 1, label: 'Primary' },
      { category: 'HUBSPOT_DEFINED', typeId: 279, label: null },
      { category: 'HUBSPOT_DEFINED', typeId: 931, label: 'Billing' },
      { category: 'USER_DEFINED', typeId: 36, label: 'Custom 36' },
    ]);
  });

  it('has the labels of its options, each in its direction only, and lacks the types that the options remove', async () => {
    const paired = (fromObjectType: string, toObjectType: string, typeId: number, label: string | null) => ({
      fromObjectType,
      toObjectType,
      category: 'USER_DEFINED' as const,
      typeId,
      label,
    });
    simulator = await startSimulator({ withoutTypeIds: [931] });
    const told = await call('/_simulator/options', {
      labels: [
        paired('contacts', 'companies', 36, 'Decision maker'),
        paired('companies', 'contacts', 37, 'Decided by'),
        paired('2-7', 'contacts', 41, null),
      ],
    });
    expect(told.status).toBe(200);
    const labelsOf = async (from: string, to: string) =>
      (await call(`/crm/v4/associations/${from}/${to}/labels`)).json().results;
    expect(await labelsOf('0-1', 'company')).toEqual([
      { category: 'HUBSPOT_DEFINED', typeId: 1, label: 'Primary' },
      { category: 'HUBSPOT_DEFINED', typeId: 279, label: null },
      { category: 'USER_DEFINED', typeId: 36, label: 'Decision maker' },
    ]);
    expect(await labelsOf('companies', 'contacts')).toContainEqual({
      category: 'USER_DEFINED',
      typeId: 37,
      label: 'Decided by',
    });
    expect(await labelsOf('2-7', 'contacts')).toEqual([
      { category: 'USER_DEFINED', typeId: 41, label: null },
    ]);

    const createWith = async (associationCategory: string, associationTypeId: number) => {
      const types = [{ associationCategory, associationTypeId }];
      return (await call(CREATE, { inputs: [{ from: { id: '1' }, to: { id: '2' }, types }] })).status;
    };
    expect(await createWith('USER_DEFINED', 36)).toBe(201);
    expect(await createWith('USER_DEFINED', 37)).toBe(400); // the other direction's
    expect(await createWith('HUBSPOT_DEFINED', 931)).toBe(400);
  });

  it('answers for labels under the same credentials and limits as other calls', async () => {
    simulator = await startSimulator({ accessToken: 'right', rateLimitCalls: 1 });
    const path = '/crm/v4/associations/contacts/companies/labels';
    expect((await call(path, undefined, { Authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await call(path, undefined, { Authorization: 'Bearer right' })).status).toBe(200);
    expect((await call(path, undefined, { Authorization: 'Bearer right' })).status).toBe(429);
  });
});

describe('going down and coming back', () => {
  it('keeps the port and everything it knows', async () => {
    simulator = await startSimulator();
    await call(CREATE, inputsOf([['1', '2']]));
    await simulator.pause();
    await expect(call(CREATE, inputsOf([['3', '4']]))).rejects.toThrow();
    await simulator.resume();
    expect((await call(CREATE, inputsOf([['5', '6']]))).status).toBe(201);
    expect(simulator.ledger.createdCount()).toBe(2);
  });

  it('cuts the calls in flight; stopping twice is stopping once; the port is free again', async () => {
    simulator = await startSimulator({ latencyMs: 600_000 });
    const { port } = simulator;
    const inFlight = call(CREATE, inputsOf([['1', '2']])).catch(() => 'cut');
    while (simulator.ledger.createdCount() === 0) await new Promise(setImmediate);
    await Promise.all([simulator.stop(), simulator.stop()]);
    expect(await inFlight).toBe('cut');
    expect(simulator.ledger.calls).toMatchObject([{ status: 0, accepted: 1 }]);
    simulator = await startSimulator({ port });
    expect((await call(CREATE, inputsOf([['1', '2']]))).status).toBe(201);
  });
});

describe('/_simulator/', () => {
  it('shows the ledger, takes options and faults, and forgets, without limits or credentials', async () => {
    simulator = await startSimulator({ rateLimitCalls: 2, accessToken: 'token' });
    const none = { Authorization: '' };
    await call(
      CREATE,
      inputsOf([
        ['1', '2'],
        ['3', '4'],
      ]),
    );
    expect((await call('/_simulator/options', { statusDrift: 207 }, none)).status).toBe(200);
    expect((await call('/_simulator/faults', { kind: 'status', status: 503 }, none)).status).toBe(200);
    expect((await call(CREATE, inputsOf([['5', '6']]))).status).toBe(503);
    expect((await call('/_simulator/ledger', undefined, none)).json()).toEqual({
      calls: 2,
      otherCalls: 0,
      byStatus: { 201: 1, 503: 1 },
      created: 2,
      repeats: 0,
      duplicates: 0,
      meanInputs: 1.5,
      maxCallsInWindow: 2,
      windowMs: 10_000,
    });
    const rows = (await call('/_simulator/ledger/created.ndjson', undefined, none)).text.trim().split('\n');
    expect(rows.map(row => JSON.parse(row))).toMatchObject([
      { fromType: '0-1', toType: '0-2', from: '1', to: '2', call: 1, types: TYPES },
      { from: '3', to: '4' },
    ]);
    const calls = (await call('/_simulator/ledger/calls.ndjson', undefined, none)).text.trim().split('\n');
    expect(calls.map(row => JSON.parse(row))).toMatchObject([{ status: 201 }, { fault: 'status' }]);
    await call('/_simulator/reset', {}, none);
    expect((await call('/_simulator/ledger', undefined, none)).json()).toMatchObject({
      calls: 0,
      created: 0,
    });
  });

  it.each([
    ['options', { latencyMs: -1, colour: 'red' }],
    ['options', { timezone: 'Mars/Base' }],
    ['faults', { kind: 'status' }],
    ['faults', [{ kind: 'empty' }, { kind: 'nonsense' }]],
    ['faults', '{'],
  ])('says what is wrong with %s %j, and takes none of it', async (path, body) => {
    simulator = await startSimulator();
    const answer = await call(`/_simulator/${path}`, body);
    expect(answer.status).toBe(400);
    expect(answer.json().message).toEqual(expect.any(String));
    simulator.assertNoPendingFaults();
  });
});
