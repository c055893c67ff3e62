/** Reads the groups of rejections for the page: one line a group, and what belongs to one of them. Changes nothing. */
import type { Pair } from '../../shared/contract/association.js';
import type { QueueAccess } from '../connection.js';
import { type Failure, latestFailedOf, readJobs } from './failed-jobs.js';
import { jobsOfGroups } from './rejection-index.js';

/** Most groups that the index has (rejections.lua): a thousand, and the one of all further messages. */
export const ALL_GROUPS = 1_001;

/** What a line of the list shows. */
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
};
export type Rejections = {
  /** associations in all groups, including groups that are not listed */
  associations: number;
  groups: RejectionGroup[];
  /** groups that are not listed */
  more: number;
};
/** One rejected association, or a job with unreadable data, which has no pair. */
export type RejectionExample = { jobId: string; pair?: Pair; error: Failure['error'] };
/** What an opened line shows. */
export type RejectionDetail = { group: RejectionGroup; examples: RejectionExample[] };

/** The largest groups first. @param most groups listed */
export async function readRejections({ redis, keys }: QueueAccess, most: number): Promise<Rejections> {
  const flat = await redis.zrevrange(keys.rejections, 0, -1, 'WITHSCORES');
  const sizes = Array.from({ length: flat.length / 2 }, (_, at) => ({
    id: flat[2 * at] ?? '',
    associations: Number(flat[2 * at + 1]),
  }));
  const shown = sizes.slice(0, most);
  const found = await Promise.all(
    shown.map(async ({ id, associations }) => readGroup({ redis, keys }, id, associations)),
  );
  const associations = sizes.reduce((sum, group) => sum + group.associations, 0);
  return {
    associations,
    groups: found.filter(group => group !== undefined),
    more: sizes.length - shown.length,
  };
}

/** Associations in all groups. */
export async function countRejections({ redis, keys }: QueueAccess): Promise<number> {
  const flat = await redis.zrange(keys.rejections, '0', '-1', 'WITHSCORES');
  return flat.reduce((sum, score, at) => (at % 2 === 1 ? sum + Number(score) : sum), 0);
}

/** @param most examples @returns undefined if there is no such group any more */
export async function readDetail(
  access: QueueAccess,
  id: string,
  most: number,
): Promise<RejectionDetail | undefined> {
  const associations = await access.redis.zscore(access.keys.rejections, id);
  const group = associations === null ? undefined : await readGroup(access, id, Number(associations));
  if (!group) return undefined;
  const examples = await readExamples(access, [id], most);
  // until its jobs have failed, only the index has an example
  if (examples.length === 0) examples.push(...(await latestExample(access, id)));
  return { group, examples };
}

async function latestExample({ redis, keys }: QueueAccess, id: string): Promise<RejectionExample[]> {
  const json = await redis.hget(keys.rejection + id, 'example');
  return json === null ? [] : [JSON.parse(json) as RejectionExample];
}

/** Jobs of a group that are still retried have no example yet: their pages are not read for ever. */
const MOST_PAGES = 10;

/** The first examples of the groups, from the failed jobs themselves. */
export async function readExamples(
  access: QueueAccess,
  groups: readonly string[],
  most: number,
): Promise<RejectionExample[]> {
  const examples: RejectionExample[] = [];
  let pages = 0;
  for await (const page of jobsOfGroups(access, new Set(groups))) {
    examples.push(
      ...page.flatMap(({ job, matched }) => matched.flatMap(each => examplesOf(job.id, each, most))),
    );
    pages += 1;
    if (examples.length >= most || pages >= MOST_PAGES) break;
  }
  return examples.slice(0, most);
}

/** The latest examples of a request's rejections. */
export async function readRequestExamples(
  access: QueueAccess,
  request: string,
  most: number,
): Promise<RejectionExample[]> {
  const jobs = await readJobs(access, await latestFailedOf(access, request, most));
  const examples = jobs.flatMap(({ id, failures }) => failures.flatMap(each => examplesOf(id, each, EACH)));
  return examples.slice(0, most);
}
/** Examples of the same error in one job. */
const EACH = 3;

function examplesOf(jobId: string, { error, pairs }: Failure, most: number): RejectionExample[] {
  if (pairs.length === 0) return [{ jobId, error }];
  return pairs.slice(0, most).map(pair => ({ jobId, pair, error }));
}

/** @returns undefined if the group was removed meanwhile */
async function readGroup(
  { redis, keys }: Pick<QueueAccess, 'redis' | 'keys'>,
  id: string,
  associations: number,
): Promise<RejectionGroup | undefined> {
  const [fields, jobs] = await Promise.all([
    redis.hmget(keys.rejection + id, 'category', 'message', 'from', 'to', 'first', 'last'),
    redis.scard(`${keys.rejection}${id}:jobs`),
  ]);
  const [category, message, from, to, first, last] = fields;
  if (typeof category !== 'string') return undefined;
  return {
    ...{ id, category, message: message ?? '', from: from ?? '', to: to ?? '', associations, jobs },
    ...{ first: Number(first), last: Number(last) },
  };
}
