/** Judges what of the queue survives a crash of Redis. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, ofRedis, ok, warning } from '../finding.js';

export function judgePersistence({ server }: Pick<RedisFacts, 'server'>): Finding {
  const unsafe = server?.faults.find(({ about }) => about === 'persistence');
  if (unsafe) return ofRedis(unsafe);
  if (server?.persistence === 'aof') return ok('Redis writes every change to its append-only file');
  return warning(
    'Redis does not tell whether it writes to disk',
    'make sure that it does: set appendonly to yes, or what its provider has instead',
  );
}
