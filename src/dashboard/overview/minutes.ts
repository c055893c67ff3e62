/**
 * Turns the minute buckets into series. Past buckets do not change and are read once: the first view of a whole day costs
 * Redis 1,440 small reads, and all later views together cost two a second.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';

/** Columns of equal length, with one entry for each step; null = unknown, because no process counted anything then. */
export type Series = {
  /** start of the step, epoch seconds */
  at: number[];
  stepSeconds: number;
  /** associations in the step */
  created: (number | null)[];
  rejected: (number | null)[];
  cancelled: (number | null)[];
  retried: (number | null)[];
  /** calls in the step; calls refused with 429; calls that failed otherwise */
  calls: (number | null)[];
  limited: (number | null)[];
  failed: (number | null)[];
  /** mean inputs of a batch */
  fill: (number | null)[];
  /** samples: associations, seconds */
  backlog: (number | null)[];
  oldest: (number | null)[];
};

type Bucket = Record<string, string>;
/** Late counts arrive within seconds, so a minute is final when the next one has passed. */
const FINAL_AFTER = 2;
const MINUTES_KEPT = 48 * 60;

export class Minutes {
  readonly #final = new Map<number, Bucket>();

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** @param minute the current minute since 1970, on Redis' clock @param step minutes per step */
  async series(minute: number, minutes: number, step: number): Promise<Series> {
    const first = Math.floor((minute - minutes + step) / step) * step;
    const wanted = Array.from({ length: minute - first + 1 }, (_, at) => first + at);
    const buckets = await this.#read(wanted, minute);
    const steps: Bucket[][] = [];
    for (let at = 0; at < wanted.length; at += step) steps.push(buckets.slice(at, at + step));
    return toSeries(steps, first, step);
  }

  async #read(wanted: readonly number[], current: number): Promise<Bucket[]> {
    for (const minute of this.#final.keys()) if (minute < current - MINUTES_KEPT) this.#final.delete(minute);
    return Promise.all(
      wanted.map(async minute => {
        const known = this.#final.get(minute);
        if (known) return known;
        const bucket = await this.redis.hgetall(this.keys.minutes + minute);
        if (minute <= current - FINAL_AFTER) this.#final.set(minute, bucket);
        return bucket;
      }),
    );
  }
}

/** Pure. @param steps the buckets of each step */
export function toSeries(steps: readonly (readonly Bucket[])[], firstMinute: number, step: number): Series {
  const total = (buckets: readonly Bucket[], name: string) =>
    buckets.reduce((sum, bucket) => sum + Number(bucket[name] ?? 0), 0);
  // workers and dashboards write a sample each minute, so nobody lived in a minute without a bucket
  const isKnown = (buckets: readonly Bucket[]) => buckets.some(bucket => Object.keys(bucket).length > 0);
  const sum = (name: string) => steps.map(buckets => (isKnown(buckets) ? total(buckets, name) : null));
  const sampled = (name: string) =>
    steps.map(buckets => {
      const samples = buckets.flatMap(bucket => (bucket[name] === undefined ? [] : [Number(bucket[name])]));
      return samples.length === 0 ? null : Math.max(...samples);
    });
  const mean = (buckets: readonly Bucket[]) => {
    const sent = total(buckets, 'batches');
    return sent === 0 ? null : Math.round(total(buckets, 'inputs') / sent);
  };
  return {
    at: steps.map((_, index) => (firstMinute + index * step) * 60),
    stepSeconds: step * 60,
    created: sum('created'),
    rejected: sum('rejected'),
    cancelled: sum('cancelled'),
    retried: sum('retried'),
    calls: sum('calls'),
    limited: sum('callsRateLimited'),
    failed: sum('callsFailed'),
    fill: steps.map(mean),
    backlog: sampled('backlog'),
    oldest: sampled('oldest'),
  };
}
