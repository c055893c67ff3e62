/**
 * Finds a record pair: where it is now, and what happened to it.
 *
 * It runs on demand and in small slices. It reads jobs in the order in which they move (waiting, active, failed or
 * completed), so that a job that moves during the search is met later and not missed. Lists shift when jobs are added in
 * front, so some jobs are read twice and none is skipped.
 * It reports what it cannot know: completed jobs and batches are kept only for a while.
 */
import { bullmqKeys, dueAt, JOB_FIELDS, PLACES, type Place } from '../../bullmq/layout.js';
import { type JobData, type Pair, typesText } from '../../shared/contract/association.js';
import { parseJobData } from '../../shared/contract/job-schema.js';
import { readJson } from '../../shared/contract/json.js';
import { canonicalId } from '../../shared/contract/record-id.js';
import { loadScript } from '../../shared/runtime/script.js';
import type { QueueAccess } from '../connection.js';
import type { BatchSeen, Match, SearchEnd, SearchProgress } from '../view.js';

const findScript = loadScript(new URL('./find.lua', import.meta.url));
/** Most matches that are shown. */
const MOST_MATCHES = 20;
const BATCHES_PER_READ = 500;

export type SearchEvents = {
  progress: (progress: SearchProgress) => void;
  match: (match: Match) => void;
};

/** @param signal stops the search between two slices */
export async function searchPair(
  access: QueueAccess,
  given: Pair,
  events: SearchEvents,
  signal: AbortSignal,
): Promise<SearchEnd> {
  const pair: Pair = [canonicalId(given[0]), canonicalId(given[1])];
  const { redis, keys } = access;
  const begun = performance.now();
  const bullmq = bullmqKeys(keys);
  const sizes = await Promise.all(
    PLACES.map(([place, type]) => (type === 'list' ? redis.llen(bullmq[place]) : redis.zcard(bullmq[place]))),
  );
  const of = sizes.reduce((sum, size) => sum + size, 0);
  const seen = new Set<string>();
  let looked = 0;
  // last, jobs that were active during the search and came back for a retry
  for (const [place, type] of [...PLACES, PLACES[0]]) {
    let at = '0';
    while (at !== '' && !signal.aborted && seen.size < MOST_MATCHES) {
      const [next, count, ...ids] = (await findScript(
        redis,
        [bullmq[place]],
        [type, bullmq.jobs, at, ...needles(pair)],
      )) as [string, number, ...string[]];
      at = next;
      looked += count;
      for (const id of ids) {
        const match = await describe(access, id, pair, place);
        if (!match || seen.has(`${id} ${match.fate}`)) continue;
        seen.add(`${id} ${match.fate}`);
        events.match(match);
      }
      events.progress({ looked: Math.min(looked, of), of });
    }
  }
  const ms = Math.round(performance.now() - begun);
  const keptCompleted = sizes.at(-1) ?? 0;
  return {
    looked,
    found: seen.size,
    ms,
    keptCompleted,
    cutShort: signal.aborted || seen.size >= MOST_MATCHES,
  };
}

/** Pure. @returns the spellings of a pair in a job's data: ids as strings or numbers, with leading zeros, any spaces */
export function needles([from, to]: Pair): [from: string, to: string, usual: string, pattern: string] {
  const inJson = (id: string) => JSON.stringify(id).slice(1, -1);
  const escaped = (id: string) => inJson(id).replace(/[^A-Za-z0-9]/g, '%$&');
  const anyForm = (id: string) => `"?${/^\d+$/.test(id) ? '0*' : ''}${escaped(id)}"?`;
  const pattern = `%[%s*${anyForm(from)}%s*,%s*${anyForm(to)}%s*%]`;
  return [inJson(from), inJson(to), `"${inJson(from)}","${inJson(to)}"`, pattern];
}

async function describe(
  access: QueueAccess,
  id: string,
  pair: Pair,
  place: Place,
): Promise<Match | undefined> {
  const { redis, keys } = access;
  const { jobs, delayed } = bullmqKeys(keys);
  const [json, enqueuedAt, finishedAt, mark, earlier] = await redis.hmget(
    jobs + id,
    JOB_FIELDS.data,
    JOB_FIELDS.enqueuedAt,
    JOB_FIELDS.finishedAt,
    'associationsCounted',
    'associationsBatches',
  );
  const parsed = parseJobData(readJson(json ?? ''));
  if (!parsed.ok) return undefined;
  const found = fateOf(parsed.data, pair, place);
  if (!found) return undefined;
  const { fromObjectType, toObjectType, types, source, requestId } = parsed.data;
  const delayedUntil = place === 'delayed' ? await redis.zscore(delayed, id) : null;
  return {
    jobId: id,
    place,
    ...found,
    ...{ fromObjectType, toObjectType, types: typesText(types) },
    ...(source && { source }),
    ...(requestId && { requestId }),
    enqueuedAt: Number(enqueuedAt ?? 0),
    ...(finishedAt && { finishedAt: Number(finishedAt) }),
    ...(delayedUntil && { nextTryAt: dueAt(delayedUntil) }),
    batches: await batchesSeen(access, batchesOf(mark, earlier)),
  };
}

/** Pure. @returns what happened to the pair according to the job; undefined if the job does not contain it */
export function fateOf(
  data: JobData,
  [from, to]: Pair,
  place: string,
): Pick<Match, 'fate' | 'errors'> | undefined {
  const isIt = (pair: Pair) => pair[0] === from && pair[1] === to;
  if (data.pairs.some(isIt)) {
    if (place === 'completed') return { fate: 'created', errors: [] };
    const errors = data.errors ?? [];
    return { fate: errors.length > 0 ? 'retrying' : 'queued', errors };
  }
  const rejection = data.rejected?.find(({ pairs }) => pairs.some(isIt));
  return rejection && { fate: 'rejected', errors: [rejection.error] };
}

/** @returns ids of a job's batches. In the mark of a completed job they follow the number of counted associations. */
const batchesOf = (mark: string | null | undefined, earlier: string | null | undefined): string[] =>
  [...(earlier ?? '').split(' '), ...(mark ?? '').split(' ').slice(1)].filter(Boolean);

/** @returns the batches of a job that are still stored */
async function batchesSeen({ redis, keys }: QueueAccess, ids: readonly string[]): Promise<BatchSeen[]> {
  const wanted = new Set(ids);
  const seen: BatchSeen[] = [];
  let before = '+';
  while (wanted.size > 0) {
    const entries = await redis.xrevrange(keys.batches, before, '-', 'COUNT', BATCHES_PER_READ);
    for (const [entry, flat] of entries) {
      const fields = Object.fromEntries(
        flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])),
      );
      if (!wanted.delete(fields.id ?? '')) continue;
      const n = (name: string) => Number(fields[name] ?? 0);
      seen.push({
        ...{
          id: fields.id ?? '',
          at: Number(entry.split('-')[0]),
          answers: (fields.answers ?? '').split('\n'),
        },
        ...{
          inputs: n('inputs'),
          created: n('created'),
          rejected: n('rejected'),
          retry: n('retry'),
          held: n('held'),
        },
      });
    }
    const last = entries.at(-1);
    if (!last || entries.length < BATCHES_PER_READ) break;
    before = `(${last[0]}`;
  }
  return seen;
}
