/**
 * Hostile texts next to good jobs, through reconcile, settleJob and the real ledger on a real Redis: the books balance,
 * every job ends, and no job stands in the way of another.
 */

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Ledger } from '../../src/worker/jobs/ledger.js';
import { useRedis } from '../support/redis.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { answerOf, inputOf, reconcileInputs, settleIn } from '../support/worker-samples.js';

const test = useRedis(import.meta.url);

const HOSTILE = [
  ...['\ud800', 'a\udc00b', '\u0000', 'x\u0000y\u001b[31m', '\u202eabc\u2066', '__proto__', 'constructor'],
  ...['9007199254740993', `${'😀'.repeat(499)}x😀`, 'm'.repeat(100_000), '"]},{"', '%s%d\\u0000', '[[['],
];
const hostile = fc.constantFrom(...HOSTILE);
const context = fc.oneof(
  fc.record({ id: fc.array(hostile, { maxLength: 3 }), objectType: hostile }),
  fc.constant(JSON.parse(`${'{"a":['.repeat(300)}1${']}'.repeat(300)}`) as object),
  fc.jsonValue(),
);
const error = fc.record({ message: hostile, category: hostile, correlationId: hostile, context });

type Job = { id: string; data: JobData; entry: Parameters<typeof settleIn>[1] };

/** What the worker settles of a job all of whose pairs are refused with these words. */
function rejectedJob(id: string, ids: readonly [string, string], words: object): Job {
  const pairs: Pair[] = [[ids[0], ids[1]]];
  const inputs = pairs.map(([from, to]) => inputOf(from, to));
  const call = { fromObjectType: 'contacts', toObjectType: 'companies', inputs };
  const { named, suspects, failure } = reconcileInputs(answerOf(400, words), false, call);
  const said = named[0]?.failure ?? failure;
  expect(named.length + suspects.length).toBe(1);
  const data: JobData = { version: 1, ...call, types: [CONTACT_TO_COMPANY], pairs } as never;
  delete (data as { inputs?: unknown }).inputs;
  const rejected = [{ error: { ...said, attempt: 1, pairs: 1 }, pairs }];
  const after: JobData = { ...data, pairs: [], rejected };
  const finish = { state: 'failed' as const, reason: `1 of 1 rejected: ${said.category}: ${said.message}` };
  const entry = { jobId: id, token: 'mine', data: after, created: 0, rejected: 1, retried: 0, finish };
  return { id, data, entry: { ...entry, requestId: said.message, batches: 'b1' } };
}

it('the ledger balances, and every job ends in the one call', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(hostile, hostile, error), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (bad, good) => {
        const keys = accountKeys(test.newPrefix());
        const ledger = new Ledger(test.redis, keys, createLogger('silent', 'test'));
        const jobs = bad.map(([from, to, words], at) => rejectedJob(`bad${at}`, [from, to], words));
        const goodIds = Array.from({ length: good }, (_, at) => (at === 0 ? '__proto__' : `good${at}`));
        for (const id of [...jobs.map(job => job.id), ...goodIds]) {
          await test.redis.hset(bullmqKeys(keys).jobs + id, 'data', '{}', 'opts', '{}', 'ats', 1);
          await test.redis.set(`${bullmqKeys(keys).jobs}${id}:lock`, 'mine');
          await test.redis.lpush(bullmqKeys(keys).active, id);
        }
        const created = goodIds.map(jobId =>
          settleIn(ledger, {
            ...{ jobId, token: 'mine', created: 3, requestId: '\ud800', batches: 'b1', isSimple: true },
          }),
        );
        const settled = await Promise.all([...jobs.map(({ entry }) => settleIn(ledger, entry)), ...created]);
        expect(settled).toEqual(settled.map(() => true));

        const counters = await test.redis.hgetall(keys.counters);
        expect(counters).toEqual({
          ...{ created: String(3 * good), rejected: String(jobs.length), jobsCompleted: String(good) },
        });
        expect(await test.redis.llen(bullmqKeys(keys).active)).toBe(0);
        expect(await test.redis.zcard(bullmqKeys(keys).completed)).toBe(good);
        expect((await test.redis.zrange(bullmqKeys(keys).failed, '0', '-1')).sort()).toEqual(
          jobs.map(({ id }) => id).sort(),
        );
        const groups = await test.redis.zrange(keys.rejections, '0', '-1', 'WITHSCORES');
        const inGroups = groups.reduce((sum, score, at) => (at % 2 === 1 ? sum + Number(score) : sum), 0);
        expect(inGroups).toBe(jobs.length);
        for (const { id, entry } of jobs) {
          const stored = JSON.parse(
            (await test.redis.hget(bullmqKeys(keys).jobs + id, 'data')) ?? '',
          ) as JobData;
          expect(stored.rejected?.[0]?.pairs).toEqual(entry.data?.rejected?.[0]?.pairs);
          const words = stored.rejected?.[0]?.error;
          expect(`${words?.message}${words?.category}${words?.correlationId}`).not.toMatch(/[\p{Cc}\p{Cs}]/u);
          expect(Array.from(words?.message ?? '').length).toBeLessThanOrEqual(500);
        }
      },
    ),
    { numRuns: 60 },
  );
});
