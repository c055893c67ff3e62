/**
 * The index of rejections for the operator's tools. The settlement updates it. A comparison, one slice at a time
 * (sweep.lua), finds what other BullMQ clients did to the jobs, and never reads all jobs.
 */
import { bullmqKeys } from '../../bullmq/layout.js';
import type { Pair } from '../../shared/contract/association.js';
import { loadScript } from '../../shared/runtime/script.js';
import { indexRejections, rejectionArgs } from '../../shared/state/rejection-groups.js';
import type { QueueAccess } from '../connection.js';
import { type FailedJob, type Failure, readJobs } from './failed-jobs.js';

const sweepScript = loadScript(new URL('./sweep.lua', import.meta.url));
const reindexScript = loadScript(new URL('./reindex.lua', import.meta.url));

/** The last group, which has all further messages after a thousand different ones. */
export const OTHER_GROUP = 'other';

export type RejectionExample = { jobId: string; pair?: Pair; error: Failure['error'] };
export type RejectionGroup = {
  id: string;
  category: string;
  message: string;
  from: string;
  to: string;
  associations: number;
  jobs: number;
  /** epoch ms */
  first: number;
  last: number;
  example: RejectionExample;
};
export type Rejections = {
  /** associations in all groups, including groups that are not listed */
  associations: number;
  groups: RejectionGroup[];
  /** groups that are not listed */
  more: number;
};

/** The largest groups first. @param most groups listed */
export async function readRejections({ redis, keys }: QueueAccess, most: number): Promise<Rejections> {
  const flat = await redis.zrevrange(keys.rejections, 0, -1, 'WITHSCORES');
  const sizes = Array.from({ length: flat.length / 2 }, (_, at) => ({
    id: flat[2 * at] ?? '',
    associations: Number(flat[2 * at + 1]),
  }));
  const shown = sizes.slice(0, most);
  const found = await Promise.all(
    shown.map(async ({ id, associations }): Promise<RejectionGroup[]> => {
      const [fields, jobs] = await Promise.all([
        redis.hgetall(keys.rejection + id),
        redis.scard(`${keys.rejection}${id}:jobs`),
      ]);
      const { category = '', message = '', from = '', to = '', first, last, example } = fields;
      if (example === undefined) return []; // removed meanwhile
      const times = { first: Number(first), last: Number(last) };
      return [
        { id, category, message, from, to, associations, jobs, ...times, example: JSON.parse(example) },
      ];
    }),
  );
  const associations = sizes.reduce((sum, group) => sum + group.associations, 0);
  return { associations, groups: found.flat(), more: sizes.length - shown.length };
}

/** Associations in all groups. */
export async function countRejections({ redis, keys }: QueueAccess): Promise<number> {
  const flat = await redis.zrange(keys.rejections, '0', '-1', 'WITHSCORES');
  return flat.reduce((sum, score, at) => (at % 2 === 1 ? sum + Number(score) : sum), 0);
}

/** @returns the failures of a job that belong to a group */
export function failuresOfGroup(job: FailedJob, group: string, indexed: ReadonlySet<string>): Failure[] {
  return job.failures.filter(failure => {
    const id = indexRejections(job.id, job, [failure], job.failedAt)[0]?.id ?? '';
    return id === group || (group === OTHER_GROUP && !indexed.has(id));
  });
}

/** Yields failed jobs with failures of a group, page by page. */
export async function* jobsOfGroup(
  access: QueueAccess,
  group: string,
): AsyncGenerator<{ job: FailedJob; matched: Failure[] }[]> {
  const { redis, keys } = access;
  // reads all ids at once: a few bytes each, and no cursor that a retry could disturb
  const ids = await redis.smembers(`${keys.rejection}${group}:jobs`);
  for (let at = 0; at < ids.length; at += PAGE) {
    const some = ids.slice(at, at + PAGE);
    const scores = await redis.zmscore(bullmqKeys(keys).failed, ...some);
    const jobs = await readJobs(
      access,
      some.filter((_, index) => scores[index] !== null),
    );
    const known = jobs.length > 0 ? await redis.hmget(keys.rejectedJobs, ...jobs.map(({ id }) => id)) : [];
    yield jobs.flatMap((job, index) => {
      const indexed = new Set((known[index] ?? '').split(' ').map(entry => entry.split('=')[0] ?? ''));
      const matched = failuresOfGroup(job, group, indexed);
      return matched.length > 0 ? [{ job, matched }] : [];
    });
  }
}
const PAGE = 100;

/** @returns the rejections of a failed job in the form that the scripts expect */
export const indexEntry = (
  job: FailedJob,
  failures: readonly Failure[] = job.failures,
): (string | number)[] => rejectionArgs(indexRejections(job.id, job, failures, job.failedAt));

/** Removes the rejections of a job that was put back or removed, unless its worker has written new ones meanwhile. */
export async function unindex(access: QueueAccess, job: FailedJob, removed: boolean): Promise<void> {
  await reindex(access, job.id, removed ? '' : job.json, false, rejectionArgs([]));
}

/** Compares the index with the jobs, one slice at a time. Callers take turns. */
export class Sweep {
  #cursor = '0';
  #rank = 0;
  /** the sides that this round has not finished; they finish at different times */
  #left = { index: false, failed: false };
  /** surplus of jobs in the index over the failed set: at the start of this round, and at the end of the last */
  #roundFrom: number | undefined;
  #explained = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly access: QueueAccess) {}

  /** Compares everything from the start. */
  round(): Promise<void> {
    return this.#inTurn(async () => {
      this.#begin();
      this.#roundFrom = undefined;
      do await this.#slice(ROUND_SLICE);
      while (this.#isUnderWay);
    });
  }

  /**
   * Compares for a moment if index and failed set have different numbers of jobs, otherwise one slice. Jobs with rejections
   * that are still retried also make a difference: a difference that a whole round left unchanged causes no further round.
   */
  catchUp(): Promise<void> {
    return this.#inTurn(async () => {
      const before = await this.#difference();
      if (before === this.#explained) {
        this.#roundFrom = undefined;
        return this.#slice(SLICE);
      }
      if (this.#roundFrom === undefined) this.#begin();
      this.#roundFrom ??= before;
      const until = performance.now() + CATCH_UP_MS;
      do await this.#slice(ROUND_SLICE);
      while (this.#isUnderWay && performance.now() < until);
      if (this.#isUnderWay) return;
      if ((await this.#difference()) === this.#roundFrom) this.#explained = this.#roundFrom;
      this.#roundFrom = undefined;
    });
  }

  async #difference(): Promise<number> {
    const { redis, keys } = this.access;
    const [indexed, failed] = await Promise.all([
      redis.hlen(keys.rejectedJobs),
      redis.zcard(bullmqKeys(keys).failed),
    ]);
    return indexed - failed;
  }

  #begin(): void {
    [this.#cursor, this.#rank] = ['0', 0];
    this.#left = { index: true, failed: true };
  }

  get #isUnderWay(): boolean {
    return this.#left.index || this.#left.failed;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {}); // the caller gets the error
    return done;
  }

  async #slice(size: number): Promise<void> {
    const { redis, keys } = this.access;
    const { failed, jobs } = bullmqKeys(keys);
    const [cursor, rank, ...unknown] = (await sweepScript(
      redis,
      [failed, keys.rejections, keys.rejection, keys.rejectedJobs],
      [jobs, this.#cursor, this.#rank, size],
    )) as [string, number, ...string[]];
    for (let at = 0; at < unknown.length; at += PAGE)
      for (const job of await readJobs(this.access, unknown.slice(at, at + PAGE)))
        await reindex(this.access, job.id, job.json, true, indexEntry(job));
    this.#cursor = cursor;
    this.#rank = rank;
    if (cursor === '0') this.#left.index = false;
    if (rank === 0) this.#left.failed = false;
  }
}
const ROUND_SLICE = 500;
/** Jobs that a reading compares on each side: about two microseconds each. */
const SLICE = 50;
const CATCH_UP_MS = 500;

async function reindex(
  { redis, keys }: QueueAccess,
  id: string,
  json: string,
  failed: boolean,
  entry: readonly (string | number)[],
): Promise<void> {
  const index = [keys.rejections, keys.rejection, keys.rejectedJobs];
  const { failed: deadLetters, jobs } = bullmqKeys(keys);
  await reindexScript(redis, [deadLetters, jobs + id, ...index], [id, json, failed ? 1 : 0, ...entry]);
}
