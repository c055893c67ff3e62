/** Judges what of the queue survives a crash of Redis. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

const APPEND = 'set appendonly to yes (and appendfsync to everysec or always)';

export function judgePersistence({ info, save }: Pick<RedisFacts, 'info' | 'save'>): Finding {
  if (info === undefined || !info.has('aof_enabled'))
    return warning('Redis does not tell whether it writes to disk', `make sure that it does: ${APPEND}`);
  if (info.get('aof_enabled') === '1')
    return info.get('aof_last_write_status') === 'err'
      ? fault('Redis cannot write its append-only file', 'look at the log and the disk of Redis')
      : ok('Redis writes every change to its append-only file');
  if (save === '') return fault('Redis writes nothing to disk: a restart loses the queue', APPEND);
  const failed = info.get('rdb_last_bgsave_status') === 'err' ? ', and the latest one failed' : '';
  return save === undefined
    ? warning(`Redis has no append-only file; whether it takes snapshots is not told${failed}`, APPEND)
    : warning(
        `Redis takes snapshots only (save ${save})${failed}: a crash loses what came after the last one`,
        APPEND,
      );
}
