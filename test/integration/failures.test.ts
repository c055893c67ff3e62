/** The failures commands against a real Redis, with jobs that failed as the worker fails them. */

import { describe, expect, test } from '@jest/globals';
import { UnrecoverableError, Worker } from 'bullmq';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { withQueue } from '../../src/dashboard/connection.js';
import { failedJobs, latestFailure } from '../../src/dashboard/failures/failed-jobs.js';
import {
  discardFailures,
  exportFailures,
  type FailureFilter,
  retryFailures,
  summariseFailures,
} from '../../src/dashboard/failures/failures.js';
import { noLines } from '../../src/producer/import/line.js';
import { NdjsonParser } from '../../src/producer/import/ndjson.js';
import type { JobData, Pair, Rejected } from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { queueName } from '../../src/shared/contract/keys.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { useQueue } from '../support/queue.js';

const on = useQueue(import.meta.url);
const { url, redis } = on;

const access = <T>(use: Parameters<typeof withQueue<T>>[1]): Promise<T> =>
  withQueue(parseConfig({ REDIS_URL: url, QUEUE_PREFIX: on.prefix }), use);

const types: JobData['types'] = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];

const rejection = (category: string, message: string, ...pairs: Pair[]): Rejected => ({
  error: {
    at: '2026-03-01T12:00:00.000Z',
    attempt: 1,
    httpStatus: 400,
    category,
    message,
    correlationId: 'c-1',
    pairs: pairs.length,
  },
  pairs,
});

const jobWith = (rejected: Rejected[], rest: Partial<JobData> = {}): JobData => ({
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types,
  pairs: [],
  rejected,
  ...rest,
});

/** Adds the jobs and lets a BullMQ worker fail them; every job of the queue has failed afterwards. */
async function fail(...jobs: unknown[]): Promise<void> {
  await on.queue.addBulk(jobs.map(data => ({ name: 'associate', data })));
  const worker = new Worker(
    queueName(),
    async () => {
      throw new UnrecoverableError('rejected');
    },
    { connection: { url, maxRetriesPerRequest: null }, prefix: on.prefix, concurrency: 50 },
  );
  let failed = 0;
  await new Promise<void>(resolve => {
    worker.on('failed', () => {
      failed += 1;
      if (failed === jobs.length) resolve();
    });
  });
  await worker.close();
}

const summary = (filter: FailureFilter = {}) => access(each => summariseFailures(each, filter));

async function exported(filter: FailureFilter = {}) {
  let text = '';
  const done = await access(each =>
    exportFailures(each, filter, async lines => {
      text += lines;
    }),
  );
  const lines = text.split('\n').filter(Boolean);
  return { done, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) };
}

const dataOf = async (id: string): Promise<JobData> => {
  const parsed = parseJobData(
    JSON.parse((await redis.hget(bullmqKeys(on.keys).jobs + id, 'data')) ?? 'null'),
  );
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return parsed.data;
};

const missing = (id: string) => rejection('OBJECT_NOT_FOUND', `No contact with ID ${id} exists`, [id, '2']);
const invalid = rejection('VALIDATION_ERROR', 'abc is not an id', ['abc', '2'], ['abc', '3']);

describe('the list of failures', () => {
  test('is grouped by error and object pair, whatever the ids, and filtered', async () => {
    await fail(
      jobWith([missing('101'), missing('102')]),
      jobWith([missing('103'), invalid]),
      jobWith([missing('104')], { toObjectType: 'deals' }),
    );
    expect(await summary()).toMatchObject({
      associations: 6,
      jobs: 3,
      groups: [
        { category: 'OBJECT_NOT_FOUND', toObjectType: 'companies', associations: 3, jobs: 2 },
        { category: 'VALIDATION_ERROR', toObjectType: 'companies', associations: 2, jobs: 1 },
        { category: 'OBJECT_NOT_FOUND', toObjectType: 'deals', associations: 1, jobs: 1 },
      ],
    });
    expect(await summary({ category: 'validation_error' })).toMatchObject({ associations: 2, jobs: 1 });
    expect(await summary({ to: 'deals' })).toMatchObject({ associations: 1, jobs: 1 });
    expect(await summary({ from: 'tickets' })).toEqual({ associations: 0, jobs: 0, groups: [] });
  });

  test('is filtered by request and by source, also where the data of a job is unreadable', async () => {
    await fail(
      jobWith([missing('101')], { requestId: 'r-1', source: 'crm' }),
      jobWith([missing('102')], { requestId: 'r-2', source: 'crm' }),
      jobWith([missing('103')]),
      { requestId: 'r-1', pairs: 'none' },
    );
    expect(await summary({ request: 'r-1' })).toMatchObject({ associations: 1, jobs: 2 });
    expect(await summary({ source: 'crm' })).toMatchObject({ associations: 2, jobs: 2 });
    expect(await summary({ request: 'r-2', source: 'crm' })).toMatchObject({ associations: 1, jobs: 1 });
    expect((await exported({ request: 'r-2' })).lines).toMatchObject([{ from: '102' }]);
    expect(await access(each => retryFailures(each, { request: 'r-2' }))).toMatchObject({ jobs: 1 });
    expect(await access(each => discardFailures(each, { request: 'r-1' }))).toMatchObject({ jobsRemoved: 2 });
    expect(await summary()).toMatchObject({ associations: 1, jobs: 1 });
  });

  test('shows jobs of any data: invalid ones, such as are not even JSON, and those that failed without a rejection', async () => {
    await fail({ version: 7, fromObjectType: 'contacts' }, jobWith([], { pairs: [['1', '2']] }), {});
    await redis.hset(`${bullmqKeys(on.keys).jobs}3`, 'data', '{not json');
    const { groups, jobs } = await summary();
    expect(jobs).toBe(3);
    expect(groups).toEqual([
      expect.objectContaining({ category: 'UNFINISHED', associations: 1, message: 'rejected' }),
      expect.objectContaining({ category: 'INVALID_JOB', associations: 0, fromObjectType: 'contacts' }),
      expect.objectContaining({ category: 'INVALID_JOB', associations: 0, fromObjectType: '?' }),
    ]);
  });

  test('groups an error without a category by its status, or by having none', async () => {
    const bare = (httpStatus?: number): Rejected => {
      const { error, pairs } = rejection('', 'no answer', ['1', '2']);
      const { category: _none, httpStatus: _status, ...rest } = error;
      return { error: { ...rest, ...(httpStatus && { httpStatus }) }, pairs };
    };
    await fail(jobWith([bare(), bare(502)]));
    expect((await summary()).groups.map(group => group.category).sort()).toEqual(['HTTP_502', 'NO_ANSWER']);
  });
});

describe('the paging through failed jobs', () => {
  test('meets every job once, though each page is removed and many failed in one millisecond', async () => {
    await fail(...Array.from({ length: 450 }, (_, at) => jobWith([missing(String(at))])));
    for (let at = 1; at <= 450; at += 1)
      await redis.zadd(`${bullmqKeys(on.keys).jobs}failed`, at < 400 ? 1_000 : 2_000, String(at));
    const met: string[] = [];
    await access(async each => {
      for await (const page of failedJobs(each, (await latestFailure(each)) ?? '')) {
        expect(page.length).toBeLessThanOrEqual(100);
        met.push(...page.map(job => job.id));
        await Promise.all(page.slice(0, 50).map(job => on.queue.remove(job.id)));
      }
    });
    expect(met).toHaveLength(450);
    expect(new Set(met).size).toBe(450);
  });

  test('leaves alone what fails later', async () => {
    await fail(jobWith([missing('1')]));
    const until = (await access(latestFailure)) ?? '';
    await redis.zadd(`${bullmqKeys(on.keys).jobs}failed`, Number(until) - 10, '1');
    await fail(jobWith([missing('2')]));
    await redis.zadd(`${bullmqKeys(on.keys).jobs}failed`, Number(until) + 10, '2');
    expect(await summary({ until })).toMatchObject({ associations: 1 });
    expect(await summary()).toMatchObject({ associations: 2 });
  });
});

describe('the retry of failures', () => {
  test('puts whole jobs back, with their rejections to create, and counts what came along', async () => {
    await fail(jobWith([missing('101'), invalid]), jobWith([missing('102')]), jobWith([invalid]));
    const done = await access(each => retryFailures(each, { category: 'OBJECT_NOT_FOUND' }));
    expect(done).toEqual({ jobs: 2, associations: 2, alongside: 2, gone: 0 });
    expect(await on.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 2, failed: 1 });
    const { rejected: _none, ...opened } = jobWith([], { pairs: [['101', '2'], ...invalid.pairs] });
    expect(await dataOf('1')).toEqual(opened);
  });

  test('retries a job that cannot be read too, since a newer worker may read it', async () => {
    await fail({ version: 2 });
    expect(await access(each => retryFailures(each, {}))).toEqual({
      jobs: 1,
      associations: 0,
      alongside: 0,
      gone: 0,
    });
  });

  test('puts a job back whose data is no JSON, and so those after it', async () => {
    await fail(jobWith([missing('101')]), {}, jobWith([missing('102')]));
    await redis.hset(`${bullmqKeys(on.keys).jobs}2`, 'data', '{not json');
    expect(await access(each => retryFailures(each, {}))).toMatchObject({ jobs: 3, gone: 0 });
    expect(await on.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 3, failed: 0 });
  });

  test('puts each job back once when two run at once', async () => {
    await fail(...Array.from({ length: 300 }, (_, at) => jobWith([missing(String(at))])));
    const done = await Promise.all([1, 2].map(() => access(each => retryFailures(each, {}))));
    expect(done.reduce((sum, each) => sum + each.jobs, 0)).toBe(300);
    expect(await on.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 300, failed: 0 });
  });
});

describe('the export of failures', () => {
  test('has a line for each association, with types and error, as enqueue reads it', async () => {
    await fail(jobWith([missing('101'), invalid]), { version: 7 }, jobWith([], { pairs: [['5', '6']] }));
    const { done, lines } = await exported();
    expect(done).toEqual({ associations: 4, jobs: 2, unreadable: 1 });
    expect(lines[0]).toEqual({
      from: '101',
      to: '2',
      types,
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      error: missing('101').error,
    });
    expect(lines.map(({ from, to }) => [from, to])).toEqual([
      ['101', '2'],
      ['abc', '2'],
      ['abc', '3'],
      [undefined, undefined],
      ['5', '6'],
    ]);
    expect(await on.queue.getFailedCount()).toBe(3);
  });

  test('has the data of a job that cannot be read, in a form that enqueue refuses', async () => {
    await fail({ version: 7, pairs: [[1, 2]], from: '1', to: '2' }, {});
    await redis.hset(`${bullmqKeys(on.keys).jobs}2`, 'data', '{not json');
    const { done, lines } = await exported();
    expect(done).toEqual({ associations: 0, jobs: 0, unreadable: 2 });
    const error = { category: 'INVALID_JOB', message: 'rejected' };
    expect(lines).toMatchObject([
      { error: { ...error, jobId: '1', data: '{"version":7,"pairs":[[1,2]],"from":"1","to":"2"}' } },
      { error: { ...error, jobId: '2', data: '{not json' } },
    ]);
    const parser = new NdjsonParser({ defaults: {} });
    const parsed = noLines();
    for (const [at, line] of lines.entries()) parser.feed(JSON.stringify(line), at + 1, parsed);
    expect(parser.problems()).toEqual([]);
    expect(parsed.associations).toEqual([]);
    expect(parsed.refusals).toEqual(
      [1, 2].map(line => ({
        line,
        text: JSON.stringify(lines[line - 1]),
        reasons: [
          `a copy of job ${line}, whose data could not be read (error.data): it holds no association to enqueue`,
        ],
      })),
    );
  });

  test('may be filtered', async () => {
    await fail(jobWith([missing('101'), invalid]));
    expect((await exported({ category: 'OBJECT_NOT_FOUND' })).lines).toHaveLength(1);
  });
});

describe('the discard of failures', () => {
  test('takes only what matches: a job with nothing left goes, others shrink, and the count of rejected stays', async () => {
    await redis.hset(on.keys.counters, { rejected: 6 });
    await fail(jobWith([missing('101'), invalid]), jobWith([missing('102')]), jobWith([invalid]));
    const done = await access(each => discardFailures(each, { category: 'OBJECT_NOT_FOUND' }));
    expect(done).toEqual({ associations: 2, jobsRemoved: 1, jobsShrunk: 1, gone: 0 });
    expect((await dataOf('1')).rejected).toEqual([invalid]);
    expect(await on.queue.getJob('2')).toBeUndefined();
    expect(await redis.hget(on.keys.counters, 'rejected')).toBe('6');
    expect(await summary()).toMatchObject({ associations: 4, jobs: 2 });
  });

  test('counts unfinished associations as rejected, so that accepted = created + rejected + queued holds', async () => {
    await redis.hset(on.keys.counters, { rejected: 1 });
    await fail(
      jobWith([missing('101')], {
        pairs: [
          ['5', '6'],
          ['7', '8'],
        ],
      }),
    );
    await access(each => discardFailures(each, { category: 'UNFINISHED' }));
    expect(await redis.hget(on.keys.counters, 'rejected')).toBe('3');
    expect(await dataOf('1')).toMatchObject({ pairs: [], rejected: [missing('101')] });
  });

  test('takes jobs that cannot be read, and jobs that a crash has left empty, when it takes everything', async () => {
    await fail(jobWith([missing('1')]), { version: 7 }, jobWith([]));
    await access(each => discardFailures(each, {}));
    expect(await on.queue.getFailedCount()).toBe(0);
    expect(await redis.keys(`${bullmqKeys(on.keys).jobs}[0-9]*`)).toEqual([]);
  });

  test('leaves a job that another client retries meanwhile to its worker', async () => {
    await fail(jobWith([missing('1')]), jobWith([missing('2')]));
    const done = await access(each => {
      const { redis } = each;
      const script = redis.evalsha.bind(redis);
      let retried = false;
      // the job leaves the failed set between its reading and its discarding
      redis.evalsha = (async (...args: Parameters<typeof script>) => {
        if (!retried) {
          retried = true;
          await (await on.queue.getJob('1'))?.retry('failed');
        }
        return script(...args);
      }) as typeof script;
      return discardFailures(each, {});
    });
    expect(done).toMatchObject({ associations: 1, jobsRemoved: 1, gone: 1 });
    expect(await on.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 1, failed: 0 });
    expect((await dataOf('1')).rejected).toEqual([missing('1')]);
  });
});
