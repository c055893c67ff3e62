/**
 * Cancels with a real Redis and real processes: what is still queued of a request is taken back, wherever it is, and each of
 * its associations is counted once, whoever dies.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { Removal } from '../../src/bullmq/removal.js';
import { createProducer } from '../../src/index.js';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { messageOf } from '../../src/shared/contract/errors.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { cancelRequest, finishCancel } from '../../src/shared/state/cancel-request.js';
import { RequestReader, type RequestView } from '../../src/shared/state/requests.js';
import { OperatorWatch } from '../../src/worker/operators.js';
import { eventually } from '../support/eventually.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { enqueueRequests, requestOf } from '../support/requests.js';
import { useRig, WAYS } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const [A, B, C] = ['a', 'b', 'c'].map(letter => `${letter.repeat(8)}-1111-4111-8111-111111111111`) as [
  string,
  string,
  string,
];
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const enqueue = (
  requests: Readonly<Record<string, readonly Pair[]>>,
  ...rest: [pairsPerJob: number, options?: { priority?: number; delay?: number }]
) =>
  enqueueRequests(
    rig,
    Object.entries(requests).map(([id, pairs]) => requestOf(id, pairs)),
    ...rest,
  );
const request = async (id: string): Promise<RequestView> => {
  const view = await new RequestReader(rig.redis, rig.keys).read(id);
  if (!view) throw new Error(`no request ${id}`);
  return view;
};
/** `requests cancel` as a process. */
const cancelling = (id: string, ...more: string[]): CliProcess =>
  startCommand('requests', rig.place, [], ['cancel', id, ...more]);
async function cancel(id: string, ...more: string[]) {
  const command = cancelling(id, ...more);
  const status = await command.exit();
  return { status, output: command.output() };
}
/** A file for --list that does not exist yet. */
async function listFile(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cancel-'));
  folders.push(folder);
  return path.join(folder, 'cancelled.ndjson');
}
/** The `from` ids in a list, sorted. */
const listedIn = async (list: string): Promise<string[]> =>
  (await readFile(list, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { from: string }).from)
    .sort();
const idsOf = (pairs: readonly Pair[]): string[] => pairs.map(([from]) => from).sort();
const counts = async () => {
  const totals = await rig.redis.hgetall(rig.keys.counters);
  return ['created', 'rejected', 'cancelled'].map(name => Number(totals[name] ?? 0));
};
/** Everything of the request that is in the queue. */
async function left(id: string): Promise<string[]> {
  const { wait, active, delayed, prioritized } = bullmqKeys(rig.keys);
  const { redis } = rig;
  const lists = await Promise.all([wait, active].map(key => redis.lrange(key, 0, -1)));
  const sets = await Promise.all([delayed, prioritized].map(key => redis.zrange(key, '0', '-1')));
  return [...lists, ...sets].flat().filter(job => job.startsWith(id));
}

describe('requests cancel', () => {
  it('takes waiting, delayed and prioritized jobs out, lists them, leaves others alone, and does nothing the second time', async () => {
    await rig.start();
    const [mine, high, later, theirs] = [
      goodPairs(95),
      goodPairs(10, 200_000_001),
      goodPairs(10, 300_000_001),
      goodPairs(95, 400_000_001),
    ];
    await enqueue({ [A]: mine, [B]: theirs }, 10);
    await enqueue({ [C]: high }, 10, { priority: 1 });
    await enqueue({ [A.replace('-1111', '-2222')]: later }, 10, { delay: 600_000 });
    const list = await listFile();
    expect(await cancel(A, '--list', list)).toEqual({
      status: 0,
      output: 'cancelled 95, already decided 0\n',
    });
    expect((await cancel(C)).output).toBe('cancelled 10, already decided 0\n');
    expect((await cancel(A.replace('-1111', '-2222'))).output).toBe('cancelled 10, already decided 0\n');
    expect((await cancel(A)).output).toBe('cancelled 95, already decided 0\n');
    expect(await listedIn(list)).toEqual(idsOf(mine));
    const [first = ''] = (await readFile(list, 'utf8')).split('\n');
    expect(JSON.parse(first)).toMatchObject({
      toObjectType: 'companies',
      types: contactsToCompanies.types,
    });
    expect(await request(A)).toMatchObject({
      state: 'cancelled',
      cancelled: 95,
      queued: 0,
      cancelledBy: expect.stringMatching(/@/),
    });
    expect(await request(A)).toHaveProperty('doneAt');
    expect(await rig.redis.exists(rig.keys.requestsCancelling)).toBe(0);
    expect(await rig.redis.keys(`${bullmqKeys(rig.keys).jobs}${A}*`)).toEqual([]);
    expect(await counts()).toEqual([0, 0, 115]);
    expect(await left(B)).toHaveLength(10);
    rig.startWorker();
    await rig.drained();
    expect(await request(B)).toMatchObject({ state: 'done', created: 95, cancelled: 0 });
    expect(rig.simulator.ledger.createdCount()).toBe(95);
  });

  it('of a request that nobody knows says so and exits 2; of a finished one it prints its counts', async () => {
    await rig.start();
    await enqueue({ [A]: goodPairs(4) }, 2);
    rig.startWorker();
    await eventually(async () => expect((await request(A)).state).toBe('done'));
    expect(await cancel(B)).toEqual({
      status: 2,
      output: expect.stringContaining(`association-queue requests cancel: there is no request "${B}"`),
    });
    expect(await cancel(A)).toEqual({ status: 0, output: 'cancelled 0, already decided 4\n' });
    expect((await request(A)).state).toBe('done');
  });
});

describe('the list of what is taken back', () => {
  /** The command that wants a list dies after its mark, and another process takes everything back. */
  const takeBackUnlisted = async (id: string) => {
    const { redis, keys } = rig;
    const signal = AbortSignal.abort();
    await cancelRequest({ redis, keys }, id, 'anna@ops', { signal, onListable: async () => {} });
    await finishCancel({ redis, keys }, id);
  };

  it('is complete and has each association once, although the command was killed and a worker took the rest back', async () => {
    await rig.start();
    const [mine, list] = [goodPairs(6_000), await listFile()];
    await enqueue({ [A]: mine }, 1);
    const killed = cancelling(A, '--list', list);
    await eventually(async () => expect((await request(A)).cancelled).toBeGreaterThan(0));
    await killed.end('SIGKILL');
    const { requestCancelLease, requestListLease } = rig.keys;
    await rig.redis.del(requestCancelLease + A, requestListLease + A); // as if their time was over
    rig.startWorker();
    await eventually(async () => expect(await request(A)).toMatchObject({ cancelled: 6_000, queued: 0 }));
    const again = await cancel(A, '--list', list);
    expect(again.status).toBe(0);
    expect(again.output).toContain('cancelled 6000, already decided 0\n');
    expect(await listedIn(list)).toEqual(idsOf(mine));
    expect(await rig.redis.exists(`${rig.keys.requests + A}:unlisted`)).toBe(0);
    expect(await request(A)).not.toHaveProperty('unlisted');
  });

  it('is finished by the same command, also if lines were written that nobody has noted', async () => {
    await rig.start();
    const [mine, list] = [goodPairs(300), await listFile()];
    await enqueue({ [A]: mine }, 3);
    await takeBackUnlisted(A);
    expect(await request(A)).toMatchObject({ state: 'cancelled', cancelled: 300, unlisted: 300, queued: 0 });
    expect(await rig.redis.ttl(`${rig.keys.requests + A}:unlisted`)).toBeGreaterThan(500); // as the record
    const both = await Promise.all([cancel(A, '--list', list), cancel(A, '--list', list)]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    expect(await listedIn(list)).toEqual(idsOf(mine)); // by one of the two

    // the same lines again, and as if the command had been killed in the middle of one
    await enqueue({ [B]: mine }, 3);
    await takeBackUnlisted(B);
    await writeFile(list, (await readFile(list, 'utf8')).slice(0, 5_003));
    expect((await cancel(B, '--list', list)).output).toBe('cancelled 300, already decided 0\n');
    expect(await listedIn(list)).toEqual(idsOf(mine));
  });

  it('that cannot be written says what is in no list, and another file gets it; what was taken back before is not there', async () => {
    await rig.start();
    const [mine, list] = [goodPairs(40), await listFile()];
    await enqueue({ [A]: mine }, 10);
    const csv = await cancel(A, '--list', list.replace('.ndjson', '.csv'));
    expect(csv).toMatchObject({ status: 2, output: expect.stringContaining('the list is NDJSON') });
    expect(await request(A)).toMatchObject({ state: 'open', queued: 40 });

    const full = await cancel(A, '--list', '/dev/full');
    expect(full.status).toBe(1);
    expect(full.output).toContain('cancelled 40, already decided 0\n');
    expect(full.output).toContain('/dev/full cannot be written: ENOSPC');
    expect(full.output).toContain('40 associations in no list yet, kept as long as the request: ');
    const shown = startCommand('requests', rig.place, [], ['show', A]);
    await shown.exit();
    expect(shown.output()).toContain(`requests cancel ${A} --list cancelled.ndjson    (lists 40 of`);
    expect((await cancel(A, '--list', list)).output).toBe('cancelled 40, already decided 0\n');
    expect(await listedIn(list)).toEqual(idsOf(mine));

    await enqueue({ [B]: mine }, 10);
    await cancel(B);
    const late = await cancel(B, '--list', list);
    expect(late.status).toBe(0);
    expect(late.output).toContain('got 0 associations from this command\n');
    expect(late.output).toContain('40 associations taken back before anybody asked for a list\n');
  });
});

it('a process that enqueues stops when its request is cancelled, and what it sent last is taken back as well', async () => {
  await rig.start();
  rig.startWorker();
  const producer = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix });
  let read = 0;
  async function* endless() {
    for (const { fromObjectType, toObjectType, types } = contactsToCompanies; ; read++) {
      if (read % 5_000 === 0) await new Promise(setImmediate);
      yield { fromObjectType, toObjectType, types, from: 1 + read, to: 1_000_000_000 + read };
    }
  }
  const stopped = producer
    .enqueueMany(endless(), { request: { id: A, name: 'endless' } })
    .catch(error => error);
  await eventually(async () => expect((await request(A)).accepted).toBeGreaterThan(5_000));
  expect((await cancel(A)).output).toMatch(/^cancelled \d+, already decided \d+\n$/);
  const error = await stopped;
  expect(messageOf(error)).toMatch(/: the request was cancelled by \S+@\S+$/);
  expect(messageOf(error)).not.toContain('enqueue again');
  expect(error).toMatchObject({ code: 'ENQUEUE', cause: { code: 'REQUEST_CANCELLED' } });
  await producer.close();
  // its last bulk may have come after the mark; a worker takes it back
  await eventually(async () => expect(await request(A)).toMatchObject({ state: 'cancelled', queued: 0 }));
  const { accepted, created, cancelled } = await request(A);
  expect(created + cancelled).toBe(accepted);
  await rig.drained();
  expect(rig.simulator.ledger.createdCount()).toBe(created);
  expect(await counts()).toEqual([created, 0, cancelled]);
});

it('a waiting job with rejections becomes a dead letter, and its event says that it came from the place where it waited', async () => {
  await rig.start();
  const { redis, keys } = rig;
  const waiting = goodPairs(2);
  await enqueue({ [A]: waiting }, 2, { delay: 600_000 });
  const rejected = [
    { error: { at: '2026-11-27T00:00:00Z', attempt: 1, message: 'no', pairs: 1 }, pairs: goodPairs(1, 5) },
  ];
  await (await rig.queue.getJob(`${A}-0`))?.updateData({
    ...contactsToCompanies,
    ...{ requestId: A, pairs: waiting, rejected },
  });
  await cancelRequest({ redis, keys }, A, 'anna@ops');
  const events = await redis.xrange(bullmqKeys(keys).events, '-', '+');
  expect(events.map(([, fields]) => fields).filter(fields => fields.includes('failed'))).toEqual([
    expect.arrayContaining(['jobId', `${A}-0`, 'prev', 'delayed']),
  ]);
  expect((await rig.queue.getFailed()).map(({ data }) => data)).toMatchObject([{ pairs: [], rejected }]);
});

it('a cancel that ends leaves the lease of another one that goes on', async () => {
  await rig.start();
  const { redis, keys } = rig;
  await enqueue({ [A]: goodPairs(4), [B]: goodPairs(4, 5) }, 2);
  const lease = keys.requestCancelLease + A;
  // Redis gets the commands of one connection in their order
  await cancelRequest({ redis, keys }, A, 'anna@ops', { onProgress: () => void redis.set(lease, 'another') });
  expect(await redis.get(lease)).toBe('another');
  await cancelRequest({ redis, keys }, B, 'anna@ops');
  expect(await redis.exists(keys.requestCancelLease + B)).toBe(0);
});

it('a cancel whose process has died is finished by a worker, also beside older ones that other processes go on with', async () => {
  await rig.start();
  const { redis, keys } = rig;
  await enqueue({ [A]: goodPairs(4) }, 2);
  await cancelRequest({ redis, keys }, A, 'anna@ops', { signal: AbortSignal.abort() });
  for (const [at, id] of ['x', 'y', 'z'].entries()) {
    await redis.zadd(keys.requestsCancelling, at, id);
    await redis.set(keys.requestCancelLease + id, 'another');
  }
  const watch = new OperatorWatch({
    ...{ redis, keys, cancelled: new Set(), onCancelled: () => {} },
    logger: createLogger('silent', 'test'),
  });
  await watch.start();
  try {
    await eventually(async () => expect(await request(A)).toMatchObject({ cancelled: 4, queued: 0 }));
  } finally {
    await watch.stop();
  }
});

describe.each(WAYS)('what a worker has in hand, in the %s way', way => {
  it('is given back before its next call; what is in a call is created; other requests go on', async () => {
    await rig.start({
      way,
      simulator: { latencyMs: 700 },
      env: { BATCH_MAX_INPUTS: '20', MAX_CONCURRENT_CALLS: '1', JOB_LOCK_MS: '60000' },
    });
    const [mine, theirs] = [goodPairs(240), goodPairs(40, 200_000_001)];
    await enqueue({ [A]: mine, [B]: theirs }, 10);
    rig.startWorker();
    await eventually(async () => expect((await request(A)).created).toBeGreaterThan(0));
    const release = way === 'public' ? { version: 'x', scripts: new Map() } : undefined;
    const removal = new Removal(rig.redis, rig.keys, release);
    const { cancelled, decided, queued } = await cancelRequest(
      { redis: rig.redis, keys: rig.keys, removal },
      A,
      'anna@ops',
    );
    await removal.close();
    expect(cancelled + decided).toBe(240);
    expect(queued).toBe(0);
    // a call in flight and two that were sealed, and those before
    expect(cancelled).toBeGreaterThanOrEqual(120);
    rig.simulator.setOptions({ latencyMs: 5 });
    await rig.drained();
    expect(await request(B)).toMatchObject({ state: 'done', created: 40 });
    const { ledger } = rig.simulator;
    expect(ledger.createdCount()).toBe(decided + 40);
    expect(await counts()).toEqual([decided + 40, 0, cancelled]);
  });
});

describe('one of three interleaved requests', () => {
  it('is cancelled under load, while the canceller and a worker are killed: the others are whole, and all counts agree', async () => {
    await rig.start({
      simulator: { latencyMs: 150 },
      env: { BATCH_MAX_INPUTS: '100', MAX_CONCURRENT_CALLS: '2', JOB_LOCK_MS: '1500' },
    });
    const bad = Array.from(
      { length: 30 },
      (_, at): Pair => [String(999_000_100 + at), String(700_000_001 + at)],
    );
    // each of the first jobs has a bad pair
    const spoilt = goodPairs(6_000, 300_000_001).map((pair, at) => (at % 20 === 0 && bad[at / 20]) || pair);
    const [first, third] = [goodPairs(3_000), goodPairs(3_000, 600_000_001)];
    await enqueue({ [A]: first, [B]: spoilt, [C]: third }, 20);
    const [survivor, victim] = [rig.startWorker(), rig.startWorker()];
    await eventually(async () => expect((await request(B)).rejected).toBeGreaterThan(3));

    const canceller = cancelling(B);
    await eventually(async () => expect(await rig.redis.zcard(rig.keys.requestsCancelling)).toBe(1));
    await Promise.all([canceller.end('SIGKILL'), victim.end('SIGKILL')]);

    await eventually(async () => expect(await request(B)).toMatchObject({ state: 'cancelled', queued: 0 }));
    rig.simulator.setOptions({ latencyMs: 5 });
    await rig.drained();
    const [one, other, another] = [await request(A), await request(B), await request(C)];
    expect(one).toMatchObject({ state: 'done', created: 3_000, rejected: 0, cancelled: 0, queued: 0 });
    expect(another).toMatchObject({ state: 'done', created: 3_000, rejected: 0, cancelled: 0, queued: 0 });
    expect(other.created + other.rejected + other.cancelled).toBe(6_000);
    expect(other.cancelled).toBeGreaterThan(1_000);
    expect(await counts()).toEqual([6_000 + other.created, other.rejected, other.cancelled]);
    const { ledger } = rig.simulator;
    for (const [from, to] of [...first, ...third])
      expect(ledger.has('contacts', 'companies', from, to)).toBe(true);
    // dead letters: only what HubSpot rejected
    const failed = (await rig.queue.getFailed(0, -1)).map(({ data }) => data as JobData);
    const rejected = failed.flatMap(({ rejected = [] }) => rejected.flatMap(({ pairs }) => pairs));
    expect(rejected).toHaveLength(other.rejected);
    expect(failed.flatMap(({ pairs }) => pairs)).toEqual([]);
    expect(await left(B)).toEqual([]);
    expect((await cancel(B)).output).toBe(
      `cancelled ${other.cancelled}, already decided ${other.created + other.rejected}\n`,
    );
    expect(survivor.process.exitCode).toBeNull();
  });
});
