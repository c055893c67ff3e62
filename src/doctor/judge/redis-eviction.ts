/** Judges whether Redis may delete queued jobs when its memory is full. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

const SET = 'set maxmemory-policy to noeviction';

export function judgeEviction({ info }: Pick<RedisFacts, 'info'>): Finding {
  const policy = info?.get('maxmemory_policy');
  const evicted = Number(info?.get('evicted_keys') ?? 0);
  if (policy === undefined)
    return warning('Redis does not tell its maxmemory-policy', `make sure that it is noeviction: ${SET}`);
  if (policy === 'noeviction') return ok('maxmemory-policy is noeviction: Redis deletes no job');
  const so = evicted > 0 ? `, and has evicted ${evicted} keys since its start` : '';
  // volatile policies evict only keys with a time to live: no job, but the rate limit and the reports of workers
  return policy.startsWith('allkeys')
    ? fault(`maxmemory-policy is ${policy}: a full Redis deletes queued jobs${so}`, SET)
    : warning(`maxmemory-policy is ${policy}: a full Redis deletes keys that keep the rate limit${so}`, SET);
}
