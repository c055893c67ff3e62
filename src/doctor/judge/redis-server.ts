/** Judges whether Redis can be used: its version, and whether it accepts writes. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ofRedis, ok } from '../finding.js';

/** @param place address without user and password */
export function judgeServer(
  { refusal, server }: Pick<RedisFacts, 'refusal' | 'server'>,
  place: string,
): Finding[] {
  const { name = 'Redis', version = null, faults = [] } = server ?? {};
  const found: Finding[] = [];
  if (refusal !== '') found.push(fault(`${name} at ${place} refuses writes: ${refusal}`, remedyOf(refusal)));
  else found.push(ok(`${name}${version ? ` ${version}` : ''} at ${place} answers and accepts writes`));
  for (const each of faults)
    if (each.about === 'version' || each.about === 'cluster') found.push(ofRedis(each));
  return found;
}

const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'give Redis more memory (maxmemory), or remove other data from it',
  READONLY: 'REDIS_URL leads to a replica: set it to the primary',
  NOREPLICAS: 'bring its replicas back, or lower min-replicas-to-write',
  MISCONF: 'look at the log and the disk of Redis: it cannot save',
  NOPERM: 'give its user the rights that are in docs/operations/redis.md, Access rights',
};

const remedyOf = (refusal: string): string =>
  REMEDIES[refusal.split(' ', 1)[0] ?? ''] ?? 'look at the log of Redis';
