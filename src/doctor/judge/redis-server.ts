/** Judges whether Redis can be used: its version, and whether it accepts writes. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** The oldest version that BullMQ works with, and the first one in which a full Redis drains itself (decision 22). */
const [OLDEST, ADVISED] = [5, 7];

/** @param place address without user and password */
export function judgeServer(
  { refusal, info }: Pick<RedisFacts, 'refusal' | 'info'>,
  place: string,
): Finding[] {
  const name = info?.has('valkey_version') ? 'Valkey' : 'Redis';
  const version = info?.get('valkey_version') ?? info?.get('redis_version');
  const found: Finding[] = [];
  if (refusal !== '') found.push(fault(`${name} at ${place} refuses writes: ${refusal}`, remedyOf(refusal)));
  else found.push(ok(`${name}${version ? ` ${version}` : ''} at ${place} answers and accepts writes`));
  const major = Number.parseInt(version ?? '', 10);
  if (name === 'Redis' && major < OLDEST)
    found.push(fault(`Redis ${version} is too old for BullMQ`, 'install Redis 7.2 or newer, or Valkey'));
  else if (name === 'Redis' && major < ADVISED)
    found.push(
      warning(
        `Redis ${version} does not let the worker drain the queue while its memory is full`,
        'install Redis 7.2 or newer, or Valkey',
      ),
    );
  return found;
}

const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'give Redis more memory (maxmemory), or remove other data from it',
  READONLY: 'REDIS_URL leads to a replica: set it to the primary',
  NOREPLICAS: 'bring its replicas back, or lower min-replicas-to-write',
  MISCONF: 'look at the log and the disk of Redis: it cannot save',
};

const remedyOf = (refusal: string): string =>
  REMEDIES[refusal.split(' ', 1)[0] ?? ''] ?? 'look at the log of Redis';
