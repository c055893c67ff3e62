/** Requests of one association share notes and jobs; each has its own id and an exact answer. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueAccess } from '../../src/dashboard/connection.js';
import { discardFailures } from '../../src/dashboard/failures/failures.js';
import type { SharedNote } from '../../src/gateway/requests/found.js';
import { memberStatus } from '../../src/gateway/requests/status.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { eventually } from '../support/eventually.js';
import { openServer, type ReplyBody, type TestServer } from '../support/gateway.js';
import { noReplicas } from '../support/replicas.js';
import { useRig } from '../support/rig.js';
import { CREATE, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
let server: TestServer;
beforeEach(async () => {
  await rig.start();
  server = await openServer(rig.redisUrl, rig.prefix);
});
afterEach(async () => {
  await server.close();
});

async function post(from: number, headers: Record<string, string> = {}, url = CREATE) {
  const inputs = [inputOf(from, from + 400_000_000)];
  const response = await server.app.inject({ method: 'POST', url, payload: { inputs }, headers });
  return { status: response.statusCode, path: response.json<ReplyBody>().links?.status ?? '' };
}
const get = async (path: string) => {
  const response = await server.app.inject(path);
  return { status: response.statusCode, body: response.json<ReplyBody>() };
};
const access = (): QueueAccess => ({
  ...{ account: 'default', redis: rig.redis, queue: rig.queue, keys: rig.keys },
  replicas: noReplicas(rig.redis, rig.keys),
});
const GOOD = 100_000_001;
/** the simulator does not know it */
const BAD = 999_000_001;
const DEALS = CREATE.replace('contacts', 'deals');

it('requests of one moment share a job by object pair and priority, unless they wait or have an Idempotency-Key', async () => {
  const replies = await Promise.all([
    ...Array.from({ length: 700 }, (_, at) => post(GOOD + at)),
    ...Array.from({ length: 5 }, (_, at) => post(GOOD + at, {}, DEALS)),
    ...Array.from({ length: 3 }, (_, at) => post(GOOD + at, { 'x-priority': 'high' })),
    post(GOOD, { 'idempotency-key': 'k' }),
    post(GOOD, { prefer: 'respond-async' }),
  ]);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201, 202]));
  expect(new Set(replies.map(({ path }) => path)).size).toBe(replies.length);
  const jobs = await rig.queue.getJobs(['wait', 'prioritized']);
  const sizes = jobs.map(({ data }) => (data as { pairs: unknown[] }).pairs.length);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(710);
  expect(jobs.length).toBeLessThan(40);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
});

it('a request that shares a job gets the outcome of its own association', async () => {
  const replies = await Promise.all([GOOD, BAD, GOOD + 1].map(from => post(from)));
  const [good, bad, other] = replies.map(({ path }) => path) as [string, string, string];
  expect(await rig.queue.getJobCountByTypes('wait')).toBe(1);
  for (const path of [good, bad, other])
    expect((await get(path)).body).toMatchObject({
      id: path.slice('/requests/'.length),
      status: 'PENDING',
      accepted: 1,
      queued: 1,
      errors: [],
      ...{ state: 'open', via: 'gateway', account: 'default', cancelled: 0, rejections: [] },
    });
  rig.startWorker();
  await eventually(async () => expect((await get(good)).body.status).toBe('COMPLETE'));
  await rig.drained();
  for (const path of [good, other])
    expect((await get(path)).body).toMatchObject({ status: 'COMPLETE', created: 1, rejected: 0, errors: [] });
  expect((await get(bad)).body).toMatchObject({
    status: 'COMPLETE',
    created: 0,
    rejected: 1,
    errors: [{ category: 'OBJECT_NOT_FOUND', context: { fromObjectId: [String(BAD)] } }],
    rejections: [{ category: 'OBJECT_NOT_FOUND', count: 1 }],
  });
  // nobody's
  for (const place of ['003', '1f4', 'fff'])
    expect((await get(good.replace(/...$/, place))).status).toBe(404);
  expect((await get('/requests/00000000-0000-8000-0000-000000000000')).status).toBe(404);
  // nobody may cancel it, and after the discard there is nothing to export or to retry
  const reader = new RequestReader(rig.redis, rig.keys);
  const note = good.slice('/requests/'.length, -3).padEnd(36, '0');
  expect(await reader.read(note)).toMatchObject({ shared: true, accepted: 3, rejected: 1 });
  // the sender still sees what an operator discarded
  await discardFailures(access(), {});
  expect(await reader.read(note)).toMatchObject({ rejected: 1, discarded: 1 });
  expect(await rig.queue.getFailedCount()).toBe(0);
  for (const path of [good, other]) expect((await get(path)).body).toMatchObject({ created: 1, rejected: 0 });
  expect((await get(bad)).body).toMatchObject({
    rejected: 1,
    errors: [{ category: 'OBJECT_NOT_FOUND', context: { fromObjectId: [String(BAD)] } }],
  });
});

it('a request whose association was discarded still sees that it was rejected', async () => {
  const ask = async () => {
    const inputs = [GOOD, BAD, BAD + 1].map(from => inputOf(from, from + 400_000_000));
    const headers = { 'idempotency-key': 'once', prefer: 'wait=20' };
    const response = await server.app.inject({ method: 'POST', url: CREATE, payload: { inputs }, headers });
    const { results, errors = [], numErrors } = response.json<ReplyBody>();
    const ids = errors.map(({ context }) => context?.fromObjectId?.[0]);
    return [response.statusCode, results?.map(({ fromObjectId }) => fromObjectId), ids.sort(), numErrors];
  };
  const answer = [207, [String(GOOD)], [String(BAD), String(BAD + 1)], 2];
  rig.startWorker();
  expect(await ask()).toEqual(answer);
  await discardFailures(access(), {});
  expect(await rig.queue.getFailedCount()).toBe(0);
  expect(await ask()).toEqual(answer);
});

it('a request whose job another client removed is unknown, and never reported as created', async () => {
  const [one, two] = await Promise.all([BAD, BAD + 1].map(from => post(from)));
  rig.startWorker();
  await rig.drained();
  for (const job of await rig.queue.getFailed()) await job.remove();
  for (const path of [one?.path, two?.path]) expect((await get(path ?? '')).status).toBe(404);
});

it('a request whose associations are created is known long after its job is gone', async () => {
  const [one] = await Promise.all([GOOD, GOOD + 1].map(from => post(from)));
  rig.startWorker();
  await rig.drained();
  await rig.queue.clean(0, 1_000, 'completed');
  expect((await get(one?.path ?? '')).body).toMatchObject({ status: 'COMPLETE', created: 1, queued: 0 });
});

describe('the fate of one of three', () => {
  const error = { at: '', attempt: 1, category: 'VALIDATION_ERROR', message: 'no', pairs: 1 };
  const job = (pairs: string[], rejected: string[]): SharedNote['job'] => ({
    version: 1,
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types: [],
    pairs: pairs.map(id => [id, '9']),
    ...(rejected.length > 0 && { rejected: [{ error, pairs: rejected.map(id => [id, '9']) }] }),
  });
  const fate = (created: number, rejected: number, job: SharedNote['job'], isWhole = false) => {
    const counts = {
      id: 'n',
      owner: '',
      accepted: 3,
      jobs: 1,
      created,
      rejected,
      cancelled: 0,
      enqueuedAt: 1,
      doneAt: undefined,
      discarded: [],
    };
    const members = ['1', '2', '3'].map(id => [id, '9'] as const);
    const status = memberStatus({ account: 'default', counts, members, job, isWhole }, 0, 'n-0');
    return status && (status.queued ? 'queued' : status.created ? 'created' : 'rejected');
  };
  it.each([
    ['nothing is settled', fate(0, 0, job(['1', '2', '3'], [])), 'queued'],
    ['it is to be tried again', fate(1, 1, job(['1'], ['2'])), 'queued'],
    ['it is rejected, another one is queued', fate(0, 1, job(['2', '3'], ['1'])), 'rejected'],
    ['it is created, another one is queued', fate(1, 1, job(['2'], ['3'])), 'created'],
    [
      'all are created, and the job is not completed yet',
      fate(3, 0, job(['1', '2', '3'], []), true),
      'created',
    ],
    ['all are created, the job is gone', fate(3, 0, undefined), 'created'],
    ['one was discarded: it may be this one', fate(1, 2, job([], ['2'])), undefined],
    ['the job was discarded', fate(2, 1, undefined), undefined],
  ])('%s', (_name, found, expected) => {
    expect(found).toBe(expected);
  });
});
