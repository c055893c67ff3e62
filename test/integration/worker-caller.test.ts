/** The caller makes its calls in a thread: against the simulator, with everything that an answer may carry. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ANY_TIME } from '../../src/hubspot/departure.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import type { Caller } from '../../src/worker/calls/caller.js';
import { eventually } from '../support/eventually.js';
import { columnsOf, inputsOf } from '../support/worker-samples.js';

const BUILT = new URL('../../dist/worker/calls/caller.js', import.meta.url).pathname;
const forEver = new AbortController().signal;
const call = (count: number) => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  columns: columnsOf(inputsOf(count)),
});

/** The scripted fault has struck: the call has arrived. */
const met = () => eventually(() => simulator.assertNoPendingFaults());

let simulator: Simulator;
let caller: Caller;
let token: string;
let limits: number[];
beforeEach(async () => {
  simulator = await startSimulator({ accessToken: 'pat-right', rateLimitHeaders: true, rateLimitCalls: 77 });
  const built = (await import(BUILT)) as typeof import('../../src/worker/calls/caller.js');
  token = 'pat-right';
  limits = [];
  caller = new built.Caller(
    { baseUrl: simulator.url, apiVersion: 'v4', timeoutMs: 20_000, maxSockets: 4, windowMs: 10_000 },
    { token: () => token, onRateLimitHeader: limit => limits.push(limit) },
  );
});
afterEach(async () => {
  await caller.close();
  await simulator.stop();
  simulator.assertNoPendingFaults();
});

describe('an answer', () => {
  it('that lists every input comes as that one fact', async () => {
    const answer = await caller.create(call(2_000), forEver, ANY_TIME);
    expect(answer).toMatchObject({ kind: 'answer', status: 201, listsAll: true });
    expect(answer).toMatchObject({ body: undefined });
    expect([...simulator.ledger.created()]).toHaveLength(2_000);
    expect(limits).toEqual([77]);
  });

  it('with an error in it comes whole', async () => {
    const { columns } = call(3);
    columns.ids[2] = 999_000_001;
    const answer = await caller.create({ ...call(0), columns }, forEver, ANY_TIME);
    expect(answer).not.toHaveProperty('listsAll');
    expect(answer).toMatchObject({ kind: 'answer', body: { errors: [{ category: 'OBJECT_NOT_FOUND' }] } });
  });

  it('without effect is not taken for one that lists everything', async () => {
    simulator.script({ kind: 'empty' });
    const answer = await caller.create(call(3), forEver, ANY_TIME);
    expect(answer).toMatchObject({ kind: 'answer', body: { results: [] } });
    expect(answer).not.toHaveProperty('listsAll');
  });
});

it('a call goes with the token of its time', async () => {
  token = 'pat-wrong';
  expect(await caller.create(call(1), forEver, ANY_TIME)).toMatchObject({ status: 401 });
  token = 'pat-right';
  expect(await caller.create(call(1), forEver, ANY_TIME)).toMatchObject({ status: 201 });
});

it('a call that is aborted ends, and the others go on', async () => {
  simulator.script({ kind: 'slow', ms: 20_000 });
  const giveUp = new AbortController();
  const slow = caller.create(call(1), giveUp.signal, ANY_TIME);
  await met();
  const other = caller.create(call(2), forEver, ANY_TIME);
  giveUp.abort();
  expect(await slow).toMatchObject({ kind: 'none' });
  expect(await other).toMatchObject({ status: 201 });
});

it('calls of a thread that ends get no answer, and the next call starts another thread', async () => {
  simulator.script({ kind: 'slow', ms: 20_000 });
  const lost = caller.create(call(1), forEver, ANY_TIME);
  await met();
  await caller.close();
  expect(await lost).toMatchObject({ kind: 'none', category: 'CONNECTION_ERROR' });
  expect(await caller.create(call(2), forEver, ANY_TIME)).toMatchObject({ status: 201 });
});
