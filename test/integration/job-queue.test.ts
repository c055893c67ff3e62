/**
 * Our scripts do with many jobs what BullMQ does with each: compared with BullMQ's own worker on the same
 * jobs, mark for mark.
 */

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BulkJobOptions, FlowProducer, type Job, type Queue, UnrecoverableError, Worker } from 'bullmq';
import type { TakeLimits } from '../../src/bullmq/fetched-job.js';
import { bullmqKeys, KEEP_COMPLETED } from '../../src/bullmq/layout.js';
import type { JobData } from '../../src/shared/contract/association.js';
import { queueName } from '../../src/shared/contract/keys.js';
import { eventually } from '../support/eventually.js';
import { type Box, closeBoxes, LOCK_MS, newBox } from '../support/job-box.js';
import { useRedis } from '../support/redis.js';
import { contactsToCompanies } from '../support/samples.js';
import { settleIn } from '../support/worker-samples.js';

const test = useRedis(import.meta.url);
const ALL: TakeLimits = { jobs: 1_000, bytes: 1e9 };

let box: Box;
beforeEach(async () => {
  box = newBox(test);
  await box.jobs.start();
});
afterEach(closeBoxes);

const add = (queue: Queue, ids: readonly string[], opts: BulkJobOptions = {}) =>
  queue.addBulk(ids.map(jobId => ({ name: 'associate', data: { of: jobId }, opts: { jobId, ...opts } })));
const numbered = (count: number, name = 'job'): string[] =>
  Array.from({ length: count }, (_, at) => `${name}-${at}`);
const ids = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);
type Taken = { id: string; token: string };
const settleAny = ({ ledger }: Box, jobs: readonly Taken[], created = 1) =>
  Promise.all(
    jobs.map(({ id, token }) =>
      settleIn(ledger, {
        ...{ jobId: id, token, created, batches: 'b-1' },
        finish: { state: 'completed', returnValue: { created } },
      }),
    ),
  );
/** The shorter script, for jobs whose pairs were all created at the first attempt. */
const settleCreated = ({ ledger }: Box, jobs: readonly Taken[], created = 1) =>
  Promise.all(
    jobs.map(({ id, token }) =>
      settleIn(ledger, { jobId: id, token, created, batches: 'b-1', isSimple: true }),
    ),
  );
const REASON = '1 of 1 rejected: VALIDATION_ERROR: no';
/** @returns for each job whether it was ours */
const reject = ({ ledger }: Box, jobs: readonly Taken[]) =>
  Promise.all(
    jobs.map(({ id, token }) =>
      settleIn(ledger, {
        ...{ jobId: id, token, data: rejectedData(id), rejected: 1, batches: 'b-1' },
        finish: { state: 'failed', reason: REASON },
      }),
    ),
  );
const rejectedData = (id: string): JobData => ({
  ...contactsToCompanies,
  pairs: [],
  rejected: [{ error: { at: '', attempt: 1, message: 'no', pairs: 1 }, pairs: [[id, '2']] }],
});

/** Everything that BullMQ keeps of a queue, without times and without our data. */
async function marks({ keys }: Box) {
  const { redis } = test;
  const jobKeys = (await redis.keys(`${bullmqKeys(keys).jobs}job-*`)).sort();
  const hashes = await Promise.all(
    jobKeys.map(async key => {
      const { associationsCounted, associationsBatches, data, ...hash } = await redis.hgetall(key);
      for (const time of ['timestamp', 'processedOn', 'finishedOn']) if (hash[time]) hash[time] = 'a time';
      return [key.slice(bullmqKeys(keys).jobs.length), hash];
    }),
  );
  const events = await redis.xrange(bullmqKeys(keys).events, '-', '+');
  return {
    hashes: Object.fromEntries(hashes),
    completed: (await redis.zrange(bullmqKeys(keys).completed, '0', '-1')).sort(),
    failed: (await redis.zrange(bullmqKeys(keys).failed, '0', '-1')).sort(),
    left: await redis.exists(
      bullmqKeys(keys).wait,
      bullmqKeys(keys).active,
      bullmqKeys(keys).prioritized,
      bullmqKeys(keys).stalled,
      bullmqKeys(keys).priorityCounter,
    ),
    // BullMQ interleaves jobs, we do not: the events of each job are compared, and the last word
    events: Object.fromEntries(
      events.map(([, fields]) => fields).map((fields, at) => [`${fields[3] ?? at} ${fields[1]}`, fields]),
    ),
    last: events.at(-1)?.[1],
  };
}

describe.each([
  ['whatever became of them', settleAny],
  ['created as a whole', settleCreated],
] as const)('jobs taken and completed together, %s', (_, settle) => {
  it('leave the same marks as with BullMQ’s own worker, plain and of high priority', async () => {
    const theirs = newBox(test);
    for (const { queue } of [box, theirs]) {
      await add(queue, numbered(20, 'job-plain'));
      await add(queue, numbered(5, 'job-high'), { priority: 1 });
      await add(queue, numbered(5, 'job-bad'), { priority: 2, stackTraceLimit: 0 });
      await add(queue, ['job-bad-with-attempts'], { priority: 2, stackTraceLimit: 0, attempts: 3 });
    }
    const isBad = ({ id = '' }: { id?: string }) => id.startsWith('job-bad');
    for (let run = 0; run < 2; run++) {
      const { jobs } = await box.jobs.take(ALL);
      await Promise.all([
        settle(
          box,
          jobs.filter(job => !isBad(job)),
        ),
        reject(box, jobs.filter(isBad)),
      ]);
    }

    const process = async (job: Job) => {
      if (isBad(job)) throw new UnrecoverableError(REASON);
      return { created: 1 };
    };
    const worker = new Worker(queueName(), process, {
      ...{ connection: test.redis, prefix: bullmqKeys(theirs.keys).jobs.split(':')[0] ?? '' },
      removeOnComplete: KEEP_COMPLETED,
    });
    await once(worker, 'drained');
    await worker.close();
    const [ours, bullmqs] = await Promise.all([marks(box), marks(theirs)]);
    expect(ours).toEqual(bullmqs);
    expect(ours.last).toEqual(['event', 'drained']);
    expect(ours.left).toBe(0);
    expect([ours.completed.length, ours.failed.length]).toEqual([25, 6]);
  });

  it('come in the order in which BullMQ would fetch them', async () => {
    const theirs = newBox(test);
    for (const { queue } of [box, theirs]) {
      await add(queue, numbered(3, 'later'), { priority: 7 });
      await add(queue, numbered(4, 'plain'));
      await add(queue, numbered(3, 'high'), { priority: 1 });
      await add(queue, numbered(1, 'first'), { lifo: true });
    }
    const ours: string[] = [];
    for (let run = 0; run < 4; run++) ours.push(...ids((await box.jobs.take({ jobs: 3, bytes: 1e9 })).jobs));
    const expected: string[] = [];
    await theirs.jobs.start();
    for (let job = 0; job < ours.length; job++) expected.push((await theirs.jobs.next())?.id ?? '');
    expect(ours).toEqual(expected);
    expect(ours).toHaveLength(11);
  });

  it('are bounded by the length of their data, and at least one', async () => {
    await add(box.queue, numbered(10));
    const bytes = JSON.stringify({ of: 'job-0' }).length;
    expect(await box.jobs.take({ jobs: 100, bytes: 3 * bytes })).toMatchObject({
      jobs: [{ id: 'job-0' }, { id: 'job-1' }, { id: 'job-2' }],
      more: true,
    });
    expect(ids((await box.jobs.take({ jobs: 100, bytes: 0 })).jobs)).toEqual(['job-3']);
    expect(await box.jobs.take({ jobs: 5, bytes: 1e9 })).toMatchObject({ more: true });
    expect(await box.jobs.take({ jobs: 5, bytes: 1e9 })).toMatchObject({ more: false });
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: false });
  });

  it('high priority alone, when it is asked for', async () => {
    await add(box.queue, numbered(2, 'plain'));
    await add(box.queue, numbered(2, 'later'), { priority: 2 });
    await add(box.queue, numbered(3, 'high'), { priority: 1 });
    expect(await box.jobs.take({ jobs: 2, bytes: 1e9 }, true)).toMatchObject({
      jobs: [
        { id: 'high-0', high: true },
        { id: 'high-1', high: true },
      ],
      more: true,
    });
    expect(ids((await box.jobs.take(ALL, true)).jobs)).toEqual(['high-2']);
    expect((await box.jobs.take(ALL)).jobs).toMatchObject([
      { id: 'plain-0', high: false },
      { id: 'plain-1', high: false },
    ]);
  });

  it('high priority passes by what is left to BullMQ', async () => {
    await add(box.queue, numbered(2, 'plain'));
    await box.queue.upsertJobScheduler(
      'hourly',
      { every: 3_600_000 },
      { name: 'associate', opts: { priority: 1 } },
    );
    await add(box.queue, numbered(2, 'high'), { priority: 1 });
    expect(ids((await box.jobs.take(ALL, true)).jobs)).toEqual(['high-0', 'high-1']);
    expect(ids((await box.jobs.take(ALL)).jobs)).toEqual(['plain-0', 'plain-1']);
    expect((await box.jobs.next())?.id).toContain('hourly');
  });

  it('say whether anything is left of either kind', async () => {
    await add(box.queue, numbered(1, 'plain'));
    await add(box.queue, numbered(3, 'later'), { priority: 2 });
    expect(await box.jobs.take(ALL)).toMatchObject({ jobs: [{ id: 'plain-0' }], more: true });
    expect(await box.jobs.take({ jobs: 2, bytes: 1e9 })).toMatchObject({ more: true });
    expect(await box.jobs.take(ALL)).toMatchObject({ jobs: [{ id: 'later-2' }], more: false });
  });

  it('know about how many associations they hold, in whatever JSON, and those that a retry takes back', async () => {
    const pairs = numbered(7).map((_, at) => [String(at), '2']);
    const rejected = [{ error: { at: '', attempt: 1, message: 'no', pairs: 7 }, pairs }];
    const written = [
      JSON.stringify({ ...contactsToCompanies, pairs }),
      JSON.stringify({ ...contactsToCompanies, pairs }, null, 2),
      JSON.stringify({ ...contactsToCompanies, pairs }).replaceAll(',', ', '),
      JSON.stringify({ ...contactsToCompanies, pairs: [], rejected }),
    ];
    await add(box.queue, numbered(written.length + 1));
    for (const [at, json] of written.entries())
      await test.redis.hset(`${bullmqKeys(box.keys).jobs}job-${at}`, 'data', json);
    await test.redis.hset(`${bullmqKeys(box.keys).jobs}job-${written.length}`, 'data', written[3] ?? '');
    const { jobs } = await box.jobs.take({ jobs: written.length, bytes: 1e9 });
    expect(jobs.map(({ associations }) => associations)).toEqual([7, 7, 7, 7]);
    expect(await box.jobs.next()).toMatchObject({ associations: 7 });
  });

  it('have locks that are renewed, and are reported when another worker has them', async () => {
    await add(box.queue, numbered(3));
    const { jobs } = await box.jobs.take(ALL);
    const lock = (id: string) => `${bullmqKeys(box.keys).jobs}${id}:lock`;
    for (const { id } of jobs) await test.redis.pexpire(lock(id), 5_000);
    await test.redis.set(lock('job-1'), 'theirs');
    expect(await box.jobs.renewLocks(jobs)).toEqual(['job-1']);
    expect(await test.redis.pttl(lock('job-0'))).toBeGreaterThan(LOCK_MS / 2);
    expect(await settle(box, jobs)).toEqual([true, false, true]);
    expect(await test.redis.lrange(bullmqKeys(box.keys).active, 0, -1)).toEqual(['job-1']);
  });

  it('are counted once when the settlement is sent again after a lost connection', async () => {
    await add(box.queue, numbered(2));
    const { jobs } = await box.jobs.take(ALL);
    expect(await settle(box, jobs, 3)).toEqual([true, true]);
    const before = await marks(box);
    expect(await settle(box, jobs, 3)).toEqual([true, true]);
    expect(await marks(box)).toEqual(before);
    expect(await test.redis.hgetall(box.keys.counters)).toEqual({ created: '6', jobsCompleted: '2' });
    await add(box.queue, ['job-bad']);
    const bad = (await box.jobs.take(ALL)).jobs;
    for (let sent = 0; sent < 2; sent++) expect(await reject(box, bad)).toEqual([true]);
    expect(await test.redis.hgetall(box.keys.counters)).toEqual({
      ...{ created: '6', jobsCompleted: '2', rejected: '1' },
    });
  });

  it('stay for those who look, up to the latest thousand', async () => {
    await add(box.queue, numbered(1_203));
    for (let run = 0; run < 3; run++) await settle(box, (await box.jobs.take(ALL)).jobs);
    expect(await test.redis.zcard(bullmqKeys(box.keys).completed)).toBe(KEEP_COMPLETED.count);
    expect(await test.redis.keys(`${bullmqKeys(box.keys).jobs}job-*`)).toHaveLength(KEEP_COMPLETED.count);
  });
});

describe('what is out of the ordinary is left to BullMQ', () => {
  const nothing = { jobs: [], more: false };

  it('a paused queue, and one that is held', async () => {
    await add(box.queue, numbered(2));
    await box.queue.pause();
    expect(await box.jobs.take(ALL)).toEqual(nothing);
    await box.queue.resume();
    await box.jobs.hold(60_000);
    expect(await box.jobs.take(ALL)).toEqual(nothing);
    expect(await box.jobs.heldMs()).toBeGreaterThan(50_000);
    await box.queue.removeRateLimitKey();
    expect(await box.jobs.heldMs()).toBe(0);
    expect((await box.jobs.take(ALL)).jobs).toHaveLength(2);
  });

  it('a queue with a BullMQ limit: one job after the other, by BullMQ’s command, as far as the limit allows', async () => {
    await add(box.queue, numbered(3));
    await box.queue.setGlobalConcurrency(1);
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: true });
    const first = await box.jobs.next();
    expect(first).toMatchObject({ id: 'job-0', standsAlone: true });
    await settleAny(box, [first as Taken]);
    // a place is free, and waiting workers are woken
    expect(await box.jobs.next()).toMatchObject({ id: 'job-1' });
  });

  it('a hold of a day: replicas look again after ten minutes', async () => {
    await box.jobs.hold(86_400_000);
    expect(await box.jobs.heldMs()).toBeGreaterThan(500_000);
    expect(await box.jobs.heldMs()).toBeLessThanOrEqual(600_000);
  });

  it('a hold that ends early: the next job comes at once', async () => {
    await add(box.queue, numbered(1));
    await box.queue.rateLimit(60_000);
    expect(await box.jobs.next()).toBeUndefined();
    await box.queue.removeRateLimitKey();
    expect(await box.jobs.next()).toMatchObject({ id: 'job-0' });
  });

  it('delayed jobs that become due beside an id that is no job: none of them is lost', async () => {
    const { queue, keys, jobs } = box;
    await test.redis.set(`${bullmqKeys(keys).jobs}poison`, 'no job');
    await add(queue, numbered(3), { delay: 1 });
    await test.redis.zadd(bullmqKeys(keys).delayed, 1, 'poison');
    const fetched: string[] = [];
    await eventually(async () => {
      const job = await jobs.next(false).catch(() => undefined);
      if (job) fetched.push(job.id);
      expect(fetched.sort()).toEqual(numbered(3));
    });
    expect(await test.redis.zcard(bullmqKeys(keys).delayed)).toBe(0);
    expect(await test.redis.get(`${bullmqKeys(keys).jobs}poison`)).toBe('no job');
  });

  it('thousands of delayed jobs that become due at once beside an id that is no job: none of them is lost', async () => {
    const { queue, keys, jobs } = box;
    await test.redis.set(`${bullmqKeys(keys).jobs}poison`, 'no job');
    await add(queue, numbered(2_100), { delay: 1 });
    const [, score = ''] = await test.redis.zrange(bullmqKeys(keys).delayed, '1500', '1500', 'WITHSCORES');
    await test.redis.zadd(bullmqKeys(keys).delayed, score, 'poison');
    let fetched = 0;
    await eventually(async () => {
      if (await jobs.next(false).catch(() => undefined)) fetched += 1;
      expect(await test.redis.zcard(bullmqKeys(keys).delayed)).toBe(0);
    });
    expect(fetched + (await test.redis.llen(bullmqKeys(keys).wait))).toBe(2_100);
  });

  it('the job of a scheduler, whose next job BullMQ plans when it fetches it', async () => {
    await add(box.queue, numbered(1));
    await box.queue.upsertJobScheduler('nightly', { every: 3_600_000 }, { name: 'associate', data: {} });
    await add(box.queue, numbered(1, 'after'));
    expect(await box.jobs.take(ALL)).toMatchObject({ jobs: [{ id: 'job-0' }] });
    const scheduled = await box.jobs.next();
    expect(scheduled).toMatchObject({ standsAlone: false, id: expect.stringContaining('nightly') });
    expect(ids((await box.jobs.take(ALL)).jobs)).toEqual(['after-0']);
    expect(await box.queue.getDelayedCount()).toBe(1);
    if (scheduled) await box.jobs.complete(scheduled, { created: 0 });
    expect(await box.queue.getCompletedCount()).toBe(1);
  });

  it('jobs that concern others when they complete', async () => {
    const flow = new FlowProducer({ connection: test.redis, prefix: test.prefix });
    const parent = await flow.add({
      ...{ name: 'import', queueName: 'imports', opts: { jobId: 'p' } },
      children: [{ name: 'associate', queueName: queueName(), opts: { jobId: 'of-a-parent' } }],
    });
    await add(box.queue, ['deduplicated'], { deduplication: { id: 'once' } });
    await add(box.queue, ['not-kept'], { removeOnComplete: true });
    await add(box.queue, ['plain']);
    const { jobs } = await box.jobs.take(ALL);
    expect(jobs.map(({ id, standsAlone }) => [id, standsAlone])).toEqual([
      ['of-a-parent', false],
      ['deduplicated', false],
      ['not-kept', false],
      ['plain', true],
    ]);
    for (const job of jobs) await box.jobs.complete(job, { created: 1 });
    expect((await box.queue.getCompleted()).map(({ id }) => id).sort()).toEqual([
      'deduplicated',
      'of-a-parent',
      'plain',
    ]);
    expect(await box.queue.getDeduplicationJobId('once')).toBeNull();
    expect([await parent.job.getState(), await parent.job.getChildrenValues()]).toEqual([
      'waiting',
      { [`${bullmqKeys(box.keys).jobs}of-a-parent`]: { created: 1 } },
    ]);
    await flow.close();
  });

  it('a job that is to fail, and one whose data is no JSON', async () => {
    await add(box.queue, ['to-fail', 'broken', 'after', 'broken-too']);
    await test.redis.hset(`${bullmqKeys(box.keys).jobs}to-fail`, 'defa', 'its child has failed');
    for (const id of ['broken', 'broken-too'])
      await test.redis.hset(`${bullmqKeys(box.keys).jobs}${id}`, 'data', '{"version":1,');
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: true });
    expect(await box.jobs.next()).toMatchObject({ id: 'to-fail', mustFail: 'its child has failed' });
    const { jobs } = await box.jobs.take({ jobs: 2, bytes: 1e9 });
    expect(jobs.map(({ id, text }) => [id, text])).toEqual([
      ['broken', '{"version":1,'],
      ['after', '{"of":"after"}'],
    ]);
    const next = await box.jobs.next(); // by BullMQ's own verb
    expect([next?.id, next?.text]).toEqual(['broken-too', '{"version":1,']);
    for (const job of [...jobs, next]) if (job) await box.jobs.fail(job, 'no JSON');
    expect(await test.redis.zrange(`${bullmqKeys(box.keys).jobs}failed`, '0', '-1')).toEqual(
      expect.arrayContaining(['after', 'broken', 'broken-too']),
    );
  });
});
