/**
 * pg-boss on PostgreSQL: a job for each association, inserted 1,000 at a time; fetch() with a batchSize of 2,000, one call,
 * then complete() and fail() with the ids of each kind. LOOPS of these loops run side by side.
 *
 * fetch() and not work(): work() pauses at least half a second between batches and ends all jobs of a batch alike.
 * ANALYZE after the inserts, as autovacuum would within a minute: without it the planner joins badly, and fetching 2,000 of
 * 20,000 jobs takes seconds.
 * `priority: false`, because no job has a priority: it saves the sorting. Maintenance is off, because none is due here.
 */
import PgBoss from 'pg-boss';
import { MAX_INPUTS_PER_CALL, type Pair } from '../../src/shared/contract/association.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { pairs } from '../support/associations.js';
import { carefulCreate } from '../support/careful-create.js';
import { serve } from '../support/peer.js';

const LOOPS = 4;
const JOBS_PER_INSERT = 1_000;
const NOTHING_YET_MS = 10;
const QUEUE = 'associations';
type Data = { from: string; to: string };

await serve(async ({ hubspotUrl, postgresUrl }) => {
  const create = carefulCreate(hubspotUrl);
  const boss = new PgBoss({ connectionString: postgresUrl, supervise: false, schedule: false });
  boss.on('error', console.error);
  await boss.start();
  await boss.createQueue(QUEUE);

  async function loop(settled: { created: number; failed: number }, isMore: () => boolean): Promise<void> {
    for (;;) {
      const mayCome = isMore();
      const jobs = await boss.fetch<Data>(QUEUE, { batchSize: MAX_INPUTS_PER_CALL, priority: false });
      if (jobs.length === 0 && !mayCome) return;
      if (jobs.length === 0) {
        await sleep(NOTHING_YET_MS);
        continue;
      }
      const created = await create(jobs.map(({ data }): Pair => [data.from, data.to]));
      const idsOf = (wanted: boolean) =>
        jobs.filter((_, index) => created[index] === wanted).map(({ id }) => id);
      const [good, bad] = [idsOf(true), idsOf(false)];
      if (good.length > 0) await boss.complete(QUEUE, good);
      if (bad.length > 0) await boss.fail(QUEUE, bad);
      settled.created += good.length;
      settled.failed += bad.length;
    }
  }

  let load: Pair[] = [];
  return {
    async prepare(wanted) {
      await boss.clearStorage();
      load = [...pairs(wanted)];
    },
    async enqueue() {
      let jobs: PgBoss.JobInsert<Data>[] = [];
      for (const [from, to] of load) {
        // refused associations are not retried
        jobs.push({ name: QUEUE, data: { from, to }, retryLimit: 0 });
        if (jobs.length < JOBS_PER_INSERT) continue;
        await boss.insert(jobs);
        jobs = [];
      }
      if (jobs.length > 0) await boss.insert(jobs);
      await boss.getDb().executeSql('ANALYZE pgboss.job', []);
    },
    async settle(isMore) {
      const settled = { created: 0, failed: 0 };
      await Promise.all(Array.from({ length: LOOPS }, () => loop(settled, isMore)));
      return settled;
    },
  };
});
