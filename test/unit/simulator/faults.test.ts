/** Faults that a test scripts: what each does to a call, and which call it strikes. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../../src/simulator/faults.js';
import { forbidden, migrating, rateLimited, unauthorized } from '../../../src/simulator/replies.js';
import { type Simulator, startSimulator } from '../../../src/simulator/server.js';

let simulator: Simulator;
afterEach(async () => {
  await simulator.stop();
  simulator.assertNoPendingFaults();
});

const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];

async function create(ids: string[], path = 'contacts/companies', signal?: AbortSignal) {
  const inputs = ids.map(id => ({ from: { id }, to: { id: `10${id}` }, types }));
  const response = await fetch(`${simulator.url}/crm/v4/associations/${path}/batch/create`, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
    headers: { Authorization: 'Bearer token', 'Content-Type': 'application/json' },
    ...(signal && { signal }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const body = (type.includes('json') ? JSON.parse(text) : text) as {
    results?: { fromObjectId: number }[];
    errors?: Record<string, unknown>[];
    [field: string]: unknown;
  };
  return { status: response.status, headers: response.headers, body };
}
const created = () => [...simulator.ledger.created()].map(({ from }) => from);
const reported = (body: { results?: { fromObjectId: number }[] }) =>
  body.results?.map(result => result.fromObjectId).sort();

describe('a scripted status', () => {
  it.each([
    [401, { category: 'INVALID_AUTHENTICATION' }],
    [403, { category: 'MISSING_SCOPES' }],
    [423, { status: 'error' }],
    [429, { policyName: 'TEN_SECONDLY_ROLLING' }],
    [477, { status: 'error' }],
    [500, { message: 'internal error' }],
    [503, { status: 'error' }],
  ])('of %d comes with its usual body', async (status, body) => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status });
    const answer = await create(['1']);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ ...body, correlationId: expect.any(String) });
    expect(created()).toEqual([]);
    expect((await create(['1'])).status).toBe(201);
  });

  it('of 502 and its like is HTML', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status: 524 });
    expect((await create(['1'])).body).toMatch(/^<html>/);
  });

  it('takes the bodies and headers of replies.ts', async () => {
    simulator = await startSimulator();
    simulator.script(
      { kind: 'status', ...rateLimited('DAILY', 7) },
      { kind: 'status', ...migrating(60) },
      { kind: 'status', ...unauthorized('EXPIRED_AUTHENTICATION') },
      { kind: 'status', ...forbidden(['crm.objects.deals.write']) },
    );
    const daily = await create(['1']);
    expect(daily.body).toMatchObject({ policyName: 'DAILY', message: 'You have reached your daily limit.' });
    expect(daily.headers.get('retry-after')).toBe('7');
    expect((await create(['1'])).headers.get('retry-after')).toBe('60');
    expect((await create(['1'])).body).toMatchObject({ category: 'EXPIRED_AUTHENTICATION' });
    expect((await create(['1'])).body.errors).toMatchObject([
      { context: { requiredGranularScopes: ['crm.objects.deals.write'] } },
    ]);
  });

  it('may write before it fails', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status: 500, applied: true });
    expect((await create(['1', '2'])).status).toBe(500);
    expect(created()).toEqual(['1', '2']);
  });

  it('of 401 and 429 takes no place in the window; any other does', async () => {
    simulator = await startSimulator({ rateLimitCalls: 2, rateLimitWindowMs: 600_000 });
    for (const status of [429, 401, 500]) simulator.script({ kind: 'status', status });
    const statuses: number[] = [];
    for (const id of ['1', '2', '3', '4', '5']) statuses.push((await create([id])).status);
    expect(statuses).toEqual([429, 401, 500, 201, 429]);
    expect(simulator.ledger.maxCallsInWindow(600_000)).toBe(2);
  });
});

describe('a scripted partial failure', () => {
  const ids = ['1', '2', '3', '4'];
  it.each([
    ['full', { objectType: ['contact'], id: ['2'] }],
    ['id-only', { id: ['2'] }],
    ['pair', { fromObjectId: ['2'], toObjectId: ['102'] }],
    ['none', undefined],
  ] as const)('names its inputs with context %s', async (context, expected) => {
    simulator = await startSimulator();
    simulator.script({ kind: 'partial', ids: ['2'], context, category: 'SOME_REASON' });
    const { status, body } = await create(ids);
    expect(status).toBe(207);
    expect(body.errors).toHaveLength(1);
    expect(body.errors?.[0]).toMatchObject({ category: 'SOME_REASON' });
    expect(body.errors?.[0]?.context).toEqual(expected);
    expect(reported(body)).toEqual([1, 3, 4]);
    expect(created()).toEqual(['1', '3', '4']);
  });

  it('may strike each second input, and names the right side', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'partial', every: 2 }, { kind: 'partial', ids: ['103'] });
    expect(reported((await create(ids)).body)).toEqual([1, 3]);
    const right = await create(ids);
    expect(right.body.errors).toMatchObject([{ context: { objectType: ['company'], id: ['103'] } }]);
  });
});

describe('a scripted refusal', () => {
  it('strikes the calls that hold a bad record, with or without its name', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'refuse', named: false, ids: ['3'], times: 2 });
    expect((await create(['1', '2'])).status).toBe(201);
    const unnamed = await create(['3', '4']);
    expect(unnamed.status).toBe(400);
    expect(unnamed.body).not.toHaveProperty('context');
    expect((await create(['3'])).status).toBe(400);
    simulator.script({ kind: 'refuse', named: true, ids: ['3'] });
    expect((await create(['3', '4'])).body.context).toEqual({
      INVALID_OBJECT_IDS: ['CONTACT=3 is not valid'],
      objectId: ['3'],
      objectType: ['CONTACT'],
    });
    expect(created()).toEqual(['1', '2']);
  });
});

describe('answers that leave inputs out', () => {
  it('list nothing and create nothing when they are empty', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'empty' });
    const { status, body } = await create(['1', '999000001']);
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'COMPLETE', results: [] });
    expect(body).not.toHaveProperty('errors');
    expect(created()).toEqual([]);
  });

  it.each([
    [false, ['1', '3']],
    [true, ['1', '2', '3']],
  ])('leave out some of what they name (created all the same: %s)', async (applied, written) => {
    simulator = await startSimulator();
    simulator.script({ kind: 'omit', ids: ['2'], applied });
    const { status, body } = await create(['1', '2', '3']);
    expect(status).toBe(201);
    expect(reported(body)).toEqual([1, 3]);
    expect(created()).toEqual(written);
  });
});

describe('trouble with the connection', () => {
  it.each([
    ['reset', 'fetch failed', 0],
    ['half-body', 'terminated', 201],
  ] as const)('%s fails the call of its caller', async (kind, message, status) => {
    simulator = await startSimulator();
    simulator.script({ kind, applied: true }, { kind });
    await expect(create(['1', '2'])).rejects.toThrow(message);
    await expect(create(['3'])).rejects.toThrow(message);
    expect(created()).toEqual(['1', '2']);
    expect(simulator.ledger.calls).toMatchObject([
      { status, fault: kind },
      { status, fault: kind },
    ]);
    expect((await create(['3'])).status).toBe(201);
  });

  it('creates what a slow call asked for although its caller has left', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'slow', ms: 600_000 });
    const impatience = new AbortController();
    const answer = create(['1'], 'contacts/companies', impatience.signal);
    while (simulator.ledger.createdCount() === 0) await new Promise(setImmediate);
    impatience.abort();
    await expect(answer).rejects.toThrow(/abort/);
    expect(simulator.ledger.calls).toMatchObject([{ status: 0, fault: 'slow', accepted: 1 }]);
  });
});

describe('which call a fault strikes', () => {
  it.each([
    [{ fromObjectType: 'company' }, false],
    [{ fromObjectType: '0-1', toObjectType: 'company' }, true],
    [{ minInputs: 4 }, false],
    [{ minInputs: 3, maxInputs: 3 }, true],
    [{ ids: ['9', '102'] }, true],
    [{ ids: ['9'] }, false],
    [{ pairs: [['2', '102']] }, true],
    [{ pairs: [['2', '101']] }, false],
    [{ endpoint: 'read' }, false],
  ] as [NonNullable<Fault['match']>, boolean][])('is decided by its match %j: %s', async (match, strikes) => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status: 500, rate: 1, match });
    expect((await create(['1', '2', '3'])).status).toBe(strikes ? 500 : 201);
  });

  it('is a matter of seeded chance with a rate', async () => {
    const run = async (seed: number) => {
      simulator = await startSimulator({ seed, rateLimitCalls: 0 });
      simulator.script({ kind: 'status', status: 500, rate: 0.5 });
      const statuses: number[] = [];
      for (let id = 1; id <= 20; id++) statuses.push((await create([`${id}`])).status);
      await simulator.stop();
      return statuses;
    };
    const first = await run(7);
    expect(new Set(first)).toEqual(new Set([201, 500]));
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('is decided in the order of the script', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status: 500, times: 2 }, { kind: 'status', status: 423 });
    const statuses: number[] = [];
    for (const id of ['1', '2', '3', '4']) statuses.push((await create([id])).status);
    expect(statuses).toEqual([500, 500, 423, 201]);
  });

  it('is missed at the end when no call has met the fault', async () => {
    simulator = await startSimulator();
    simulator.script({ kind: 'status', status: 500, times: 2 }, { kind: 'empty', rate: 0.1 });
    await create(['1']);
    expect(() => simulator.assertNoPendingFaults()).toThrow(/1 × \{"kind":"status","status":500,"times":2\}/);
    await create(['1']);
  });
});
