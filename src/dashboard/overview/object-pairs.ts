/**
 * What became of each object pair lately, from the stream of the latest batches. Each reading reads only the batches that
 * came since the one before, so its cost is that of a few batches a second.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';

/** Associations of one object pair in the batches of the last hour; times in epoch ms. */
export type ObjectPair = {
  /** `contacts/companies` */
  objectPair: string;
  created: number;
  rejected: number;
  retried: number;
  /** went back because the object pair or the account was held */
  held: number;
  batches: number;
  /** inputs of all batches */
  inputs: number;
  lastAt: number;
};
export type ObjectPairs = {
  /** of the earliest batch that is counted; null: none is */
  since: number | null;
  /** the busiest first */
  pairs: ObjectPair[];
};

const WINDOW_MS = 3_600_000;
/** Batches of one command: about a millisecond of Redis. */
const BATCHES_PER_READ = 500;
/** Most object pairs that are listed. No account is expected to have more. */
const MOST_PAIRS = 100;

/** A batch of the stream. */
type Batch = Omit<ObjectPair, 'batches'>;

export class RecentObjectPairs {
  /** of the last hour, the oldest first */
  #batches: Batch[] = [];
  #last = '';

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** @param now Redis ms */
  async read(now: number): Promise<ObjectPairs> {
    let from = this.#last === '' ? String(now - WINDOW_MS) : `(${this.#last}`;
    for (;;) {
      const entries = await this.redis.xrange(this.keys.batches, from, '+', 'COUNT', BATCHES_PER_READ);
      for (const [id, flat] of entries) {
        this.#last = id;
        this.#batches.push(batchOf(id, flat));
      }
      if (entries.length < BATCHES_PER_READ) break;
      from = `(${this.#last}`;
    }
    const kept = this.#batches.findIndex(({ lastAt }) => lastAt > now - WINDOW_MS);
    if (kept !== 0) this.#batches = kept < 0 ? [] : this.#batches.slice(kept);
    return sumUp(this.#batches);
  }
}

function batchOf(id: string, flat: readonly string[]): Batch {
  const fields = new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])));
  const n = (name: string) => Number(fields.get(name) ?? 0) || 0;
  return {
    objectPair: fields.get('objectPair') ?? '',
    ...{ created: n('created'), rejected: n('rejected'), retried: n('retry'), held: n('held') },
    ...{ inputs: n('inputs'), lastAt: Number(id.split('-')[0]) },
  };
}

/** Pure. */
export function sumUp(batches: readonly Batch[]): ObjectPairs {
  const pairs = new Map<string, ObjectPair>();
  for (const { objectPair, lastAt, ...counts } of batches) {
    const sum = pairs.get(objectPair) ?? {
      ...{ objectPair, created: 0, rejected: 0, retried: 0, held: 0, batches: 0, inputs: 0, lastAt },
    };
    for (const name of ['created', 'rejected', 'retried', 'held', 'inputs'] as const)
      sum[name] += counts[name];
    sum.batches += 1;
    sum.lastAt = Math.max(sum.lastAt, lastAt);
    pairs.set(objectPair, sum);
  }
  const busiest = [...pairs.values()].sort((a, b) => b.inputs - a.inputs);
  return { since: batches[0]?.lastAt ?? null, pairs: busiest.slice(0, MOST_PAIRS) };
}
