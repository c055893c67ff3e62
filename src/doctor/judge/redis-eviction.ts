/** Judges whether Redis may delete queued jobs when its memory is full. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, ofRedis, ok, warning } from '../finding.js';

export function judgeEviction({ server }: Pick<RedisFacts, 'server'>): Finding {
  if (!server || server.policy === null)
    return warning(
      'Redis does not tell its maxmemory-policy',
      'make sure that it is noeviction: set maxmemory-policy to noeviction',
    );
  const { faults, evictedKeys } = server;
  const eviction = faults.find(({ about }) => about === 'eviction');
  if (!eviction) return ok('maxmemory-policy is noeviction: Redis deletes no job');
  return ofRedis(eviction, evictedKeys > 0 ? `. It has deleted ${evictedKeys} keys since its start` : '');
}
