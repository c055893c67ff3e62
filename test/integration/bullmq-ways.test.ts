/** The worker leaves the same state of BullMQ's jobs in the bulk way and in the public way. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BulkJobOptions, type Job, Worker } from 'bullmq';
import type { FetchedJob, TakeLimits } from '../../src/bullmq/fetched-job.js';
import { fingerprintOf, installedRelease, isKnown, KNOWN, MIRRORED } from '../../src/bullmq/fingerprint.js';
import { bullmqKeys, KEEP_COMPLETED, METRICS_POINTS } from '../../src/bullmq/layout.js';
import { queueName } from '../../src/shared/contract/keys.js';
import { type Box, closeBoxes, LOCK_MS, newBox } from '../support/job-box.js';
import { useRedis } from '../support/redis.js';
import { WAYS } from '../support/rig.js';
import { settleIn } from '../support/worker-samples.js';

const test = useRedis(import.meta.url);
const ALL: TakeLimits = { jobs: 100, bytes: 1e9 };
const MINUTE_MS = 60_000;
afterEach(closeBoxes);

const numbered = (count: number, name = 'job'): string[] =>
  Array.from({ length: count }, (_, at) => `${name}-${at}`);
const add = ({ queue }: Box, ids: readonly string[], opts: BulkJobOptions = {}) =>
  queue.addBulk(ids.map(jobId => ({ name: 'associate', data: { of: jobId }, opts: { jobId, ...opts } })));
const ids = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);

/** Settles finished jobs, as the processor does. */
async function finish({ ledger, jobs: queue }: Box, jobs: readonly FetchedJob[]): Promise<void> {
  for (const job of jobs) {
    const end = { state: 'completed', returnValue: { created: 1 } } as const;
    const entry = { jobId: job.id, token: job.token, created: 1, batches: 'b-1' };
    expect(await settleIn(ledger, job.standsAlone ? { ...entry, finish: end } : entry)).toBe(true);
    if (!job.standsAlone) await queue.complete(job, end.returnValue);
  }
}

/** The same by BullMQ's own worker. */
async function processByBullmq({ prefix }: Box): Promise<void> {
  const process = async (_: Job) => ({ created: 1 });
  const worker = new Worker(queueName(), process, {
    ...{ connection: test.redis, prefix, removeOnComplete: KEEP_COMPLETED },
    metrics: { maxDataPoints: METRICS_POINTS },
  });
  await once(worker, 'drained');
  await worker.close();
}

/** What BullMQ keeps of a job, without times and without what is ours. */
async function hashOf({ keys }: Box, id: string) {
  const { associationsCounted, timestamp, processedOn, finishedOn, ...hash } = await test.redis.hgetall(
    bullmqKeys(keys).jobs + id,
  );
  return { ...hash, isFinished: Boolean(timestamp && processedOn && finishedOn) };
}

describe.each(WAYS)('in the %s way', way => {
  let box: Box;
  beforeEach(async () => {
    box = newBox(test, way);
    await box.jobs.start();
  });

  it('jobs come in BullMQ’s order, as many as are asked for', async () => {
    await add(box, numbered(3, 'later'), { priority: 7 });
    await add(box, numbered(4, 'plain'));
    await add(box, numbered(1, 'first'), { lifo: true });
    expect((await box.jobs.next())?.id).toBe('first-0');
    expect(ids((await box.jobs.take({ jobs: 3, bytes: 1e9 })).jobs)).toEqual(numbered(3, 'plain'));
    expect(ids((await box.jobs.take({ jobs: 1, bytes: 1e9 })).jobs)).toEqual(['plain-3']);
    expect(ids((await box.jobs.take(ALL)).jobs)).toEqual(numbered(3, 'later'));
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: false });
  });

  it('at least one job comes, and no more when its data is as long as is wanted', async () => {
    await add(box, numbered(3));
    expect(ids((await box.jobs.take({ jobs: 3, bytes: 1 })).jobs)).toEqual(['job-0']);
  });

  it('high priority passes by all others when it is asked for, and keeps its priority', async () => {
    await add(box, numbered(2, 'plain'));
    await add(box, numbered(2, 'later'), { priority: 2 });
    await add(box, numbered(3, 'high'), { priority: 1 });
    const { jobs } = await box.jobs.take({ jobs: 2, bytes: 1e9 }, true);
    expect(jobs).toMatchObject([
      { id: 'high-0', high: true },
      { id: 'high-1', high: true },
    ]);
    for (const job of jobs.toReversed()) await box.jobs.putBack(job);
    expect(ids((await box.jobs.take(ALL, true)).jobs)).toEqual(numbered(3, 'high'));
    expect((await box.jobs.take(ALL, true)).jobs).toEqual([]);
    expect((await box.jobs.next())?.high).toBe(false);
  });

  it('locks are renewed, and missed when somebody else has them', async () => {
    await add(box, numbered(3));
    const { jobs } = await box.jobs.take(ALL);
    const lock = (id: string) => `${bullmqKeys(box.keys).jobs}${id}:lock`;
    for (const { id } of jobs) await test.redis.pexpire(lock(id), 5_000);
    await test.redis.set(lock('job-1'), 'theirs');
    expect(await box.jobs.renewLocks(jobs)).toEqual(['job-1']);
    expect(await test.redis.pttl(lock('job-0'))).toBeGreaterThan(LOCK_MS / 2);
  });

  it('a paused queue and a held one give no job; a hold that ends early gives one at once', async () => {
    await add(box, numbered(2));
    await box.queue.pause();
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: false });
    await box.queue.resume();
    await box.jobs.hold(60_000);
    expect(await box.jobs.take(ALL)).toEqual({ jobs: [], more: false });
    expect(await box.jobs.heldMs()).toBeGreaterThan(50_000);
    expect(await box.jobs.next(false)).toBeUndefined();
    await box.queue.removeRateLimitKey();
    expect(await box.jobs.heldMs()).toBe(0);
    expect((await box.jobs.next())?.id).toBe('job-0');
  });

  it('settled and completed jobs leave what BullMQ’s own worker leaves, and its metrics count them', async () => {
    const theirs = newBox(test);
    for (const each of [box, theirs]) {
      await add(each, numbered(5));
      await add(each, ['with-attempts'], { attempts: 3 });
      // earlier jobs, the last of them three minutes ago
      const { metricsCompleted } = bullmqKeys(each.keys);
      const earlier = { count: 7, prevCount: 4, prevTS: Date.now() - 3 * MINUTE_MS };
      await test.redis.hset(metricsCompleted, earlier);
    }
    await finish(box, (await box.jobs.take(ALL)).jobs);
    await processByBullmq(theirs);
    for (const id of [...numbered(5), 'with-attempts'])
      expect(await hashOf(box, id)).toEqual(await hashOf(theirs, id));
    const [ours, bullmqs] = await Promise.all([box, theirs].map(each => each.queue.getMetrics('completed')));
    expect(ours?.data.map(Number)).toEqual([0, 0, 3]);
    expect([ours?.data, ours?.count, ours?.meta.count]).toEqual([
      ...[bullmqs?.data, bullmqs?.count, bullmqs?.meta.count],
    ]);
    expect(await test.redis.hgetall(box.keys.counters)).toEqual({ created: '6', jobsCompleted: '6' });
    expect(await box.queue.getJobCounts('active', 'wait', 'completed')).toEqual({
      ...{ active: 0, wait: 0, completed: 6 },
    });
  });

  it('jobs are retried, delayed and failed by BullMQ’s commands; data that is no JSON fails, too', async () => {
    await add(box, ['job-retried', 'job-delayed', 'job-broken']);
    await test.redis.hset(`${bullmqKeys(box.keys).jobs}job-broken`, 'data', '{"version":1,');
    const [retried, delayed, broken] = (await box.jobs.take(ALL)).jobs as [
      FetchedJob,
      FetchedJob,
      FetchedJob,
    ];
    expect(broken.text).toBe('{"version":1,');
    await box.jobs.retry(retried, 60_000, 'not yet');
    await box.jobs.delay(delayed, 60_000);
    await box.jobs.fail(broken, 'no JSON');
    expect(await box.queue.getJobCounts('active', 'delayed', 'failed')).toEqual({
      ...{ active: 0, delayed: 2, failed: 1 },
    });
    expect((await box.queue.getMetrics('failed')).meta.count).toBe(1);
    expect(await box.queue.getJob('job-retried')).toMatchObject({ attemptsMade: 1, failedReason: 'not yet' });
    expect(await box.queue.getJob('job-delayed')).toMatchObject({ attemptsMade: 0 });
  });

  it('the queue says whether it knows the release of BullMQ', () => {
    expect(box.jobs.note === undefined).toBe(way === 'bulk');
    if (way === 'public') expect(box.jobs.note).toContain(installedRelease().version);
  });
});

describe('the fingerprint', () => {
  const release = installedRelease();
  const changed = (name: string, more: Partial<{ content: string; keys: number }>) => {
    const scripts = new Map(release.scripts);
    const script = scripts.get(name);
    if (script) scripts.set(name, { ...script, ...more });
    return { ...release, scripts };
  };

  it('of the pinned release is known', () => {
    expect(KNOWN).toHaveProperty(fingerprintOf(release) ?? 'none', release.version);
  });

  it('is of the scripts that the table in src/bullmq/README.md names; what is TypeScript there has no script', () => {
    const page = readFileSync(new URL('../../src/bullmq/README.md', import.meta.url), 'utf8');
    const [, table = ''] = page.split("\n| BullMQ's script |");
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
    const scripts = rows.map(row => row.split('|')[1] ?? '').filter(cell => !cell.includes('(TypeScript)'));
    const names = scripts.flatMap(cell => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(names.sort()).toEqual([...MIRRORED].sort());
  });

  it('is another one when a mirrored script has other text or other keys, and unknown when one is missing', () => {
    expect(isKnown(changed('moveToFinished', { content: 'return 1' }))).toBe(false);
    expect(isKnown(changed('moveToActive', { keys: 12 }))).toBe(false);
    expect(isKnown(changed('obliterate', { content: 'return 1' }))).toBe(true);
    const scripts = new Map(release.scripts);
    scripts.delete('extendLocks');
    expect(fingerprintOf({ scripts })).toBeUndefined();
    expect(isKnown({ ...release, scripts })).toBe(false);
  });
});
