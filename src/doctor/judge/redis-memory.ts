/** Judges how much room the queue has in Redis. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** Shares of the memory from which on it is a warning, and a fault. */
const [TIGHT, FULL] = [0.75, 0.95];
/** A queued association takes about this, in jobs of 500. */
const BYTES_PER_ASSOCIATION = 30;

export function judgeMemory({ server }: Pick<RedisFacts, 'server'>): Finding {
  const used = server?.usedBytes ?? null;
  const [limit, machine] = [server?.maxBytes ?? 0, server?.machineBytes ?? 0];
  if (used === null)
    return warning('Redis does not tell how much memory it uses', 'watch it with the tools of its provider');
  const most = limit > 0 ? limit : machine;
  if (!(most > 0)) return ok(`Redis uses ${megabytes(used)}, without a limit`);
  const what = `Redis uses ${megabytes(used)} of ${megabytes(most)}${limit > 0 ? '' : ' of its machine (maxmemory is not set)'}`;
  const room = Math.max(0, most - used) / BYTES_PER_ASSOCIATION;
  const [end, remedy] =
    limit > 0
      ? ['producers will be refused', 'raise maxmemory']
      : [
          'the operating system may end it',
          'set maxmemory below the memory of its machine, and use a machine with more memory',
        ];
  if (used >= FULL * most) return fault(`${what}: ${end}`, remedy);
  if (used >= TIGHT * most) return warning(`${what}: room for about ${millions(room)} associations`, remedy);
  return ok(`${what}: room for about ${millions(room)} associations`);
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576).toLocaleString('en-US')} MB`;
const millions = (count: number): string =>
  count < 1e6
    ? Math.round(count).toLocaleString('en-US')
    : `${Math.round(count / 1e6).toLocaleString('en-US')} million`;
