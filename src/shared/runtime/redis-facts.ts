/**
 * What kind of Redis it is, from its own words: engine, version, what it deletes when it is full, what of it survives a
 * restart, and what of this endangers the queue. Pure: the only reading of INFO (docs/decisions/0059). redis-asker.ts asks.
 */

export const PERSISTENCE_KINDS = ['none', 'rdb', 'aof', 'unknown'] as const;
export type Persistence = (typeof PERSISTENCE_KINDS)[number];
export type Engine = 'redis' | 'valkey' | 'dragonfly' | 'other';

export type RedisFault = {
  readonly about: 'version' | 'eviction' | 'persistence' | 'cluster';
  /** fault: what was accepted may be lost, or commands fail. warning: works, but not as well as it should */
  readonly level: 'fault' | 'warning';
  /** without a full stop, and without figures that change */
  readonly text: string;
  readonly remedy: string;
};

export type ServerFacts = {
  readonly engine: Engine;
  /** for people */
  readonly name: string;
  /** null: not told, here and below */
  readonly version: string | null;
  /** maxmemory-policy */
  readonly policy: string | null;
  /** it deletes keys when its memory is full */
  readonly evicts: boolean | null;
  /** since its start */
  readonly evictedKeys: number;
  readonly usedBytes: number | null;
  /** 0: no limit */
  readonly maxBytes: number | null;
  readonly machineBytes: number | null;
  readonly persistence: Persistence;
  readonly faults: readonly RedisFault[];
};

/** The first version with all commands that the queue uses (ZMSCORE), and the first in which a full Redis drains itself (decision 22). */
const [OLDEST, ADVISED] = [[6, 2] as const, [7, 0] as const];
/** By default Redis saves a change after an hour at the latest; later than this it saves none. */
const UNSAVED_SECONDS = 4_000;

const INSTALL = 'install Redis 7.2 or newer, or Valkey';
const APPEND = 'set appendonly to yes (and appendfsync to everysec or always)';

/** What to do where a plain REDIS_URL leads to one node of a cluster. */
export const WRITE_CLUSTER =
  'write redis+cluster://host:port,host:port, and a hash tag in QUEUE_PREFIX, such as {bull}';

const CLUSTER_NODE: RedisFault = {
  about: 'cluster',
  level: 'fault',
  text: 'this Redis is one node of a Redis Cluster, and a plain REDIS_URL does not follow the keys to another node',
  remedy: WRITE_CLUSTER,
};

type Fields = ReadonlyMap<string, string>;

/**
 * @param info the reply of INFO
 * @param save the rules for snapshots (`CONFIG GET save`), such as `3600 1`; '' = none; undefined: not told
 * @param isCluster the connection is made for a Redis Cluster
 */
export function factsOf(info: string, save?: string, isCluster = false): ServerFacts {
  const fields = fieldsOf(info);
  const number = (name: string): number | null => {
    const value = fields.get(name);
    return value === undefined || value === '' || Number.isNaN(Number(value)) ? null : Number(value);
  };
  const server = serverOf(fields);
  const policy = fields.get('maxmemory_policy') ?? null;
  const [maxBytes, evictedKeys] = [number('maxmemory'), number('evicted_keys') ?? 0];
  // a provider may have a limit that INFO does not tell
  const isLimited = maxBytes !== 0 || evictedKeys > 0;
  const persistence = persistenceOf(fields, save);
  const faults = [
    isCluster || fields.get('cluster_enabled') !== '1' ? undefined : CLUSTER_NODE,
    versionFault(server),
    evictionFault(policy, isLimited),
    persistenceFault(persistence, fields, save),
  ];
  return {
    ...server,
    ...{ policy, maxBytes, evictedKeys, persistence },
    evicts: policy === null ? null : policy !== 'noeviction' && isLimited,
    usedBytes: number('used_memory'),
    machineBytes: number('total_system_memory'),
    faults: faults.filter(fault => fault !== undefined),
  };
}

/** @returns the fault and what to do about it, in a line */
export const faultText = ({ text, remedy }: RedisFault): string => `${text}; ${remedy}`;

/** `name:value` lines */
function fieldsOf(info: string): Fields {
  const fields = info.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon > 0 && !line.startsWith('#') ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
  });
  return new Map(fields);
}

type Server = Pick<ServerFacts, 'engine' | 'name' | 'version'>;

/** Valkey and Dragonfly have a redis_version as well: the one with which they are compatible. */
function serverOf(fields: Fields): Server {
  const version = (name: string) => fields.get(`${name}_version`)?.replace(/^\D+/, '') || null;
  const engines = [
    ['dragonfly', 'Dragonfly'],
    ['valkey', 'Valkey'],
    ['redis', 'Redis'],
  ] as const;
  for (const [engine, name] of engines)
    if (fields.has(`${engine}_version`)) return { engine, name, version: version(engine) };
  return { engine: 'other', name: 'Redis', version: null };
}

function versionFault({ engine, version }: Server): RedisFault | undefined {
  const about = 'version';
  if (engine === 'dragonfly')
    return {
      ...{ about, level: 'warning', remedy: INSTALL },
      text: 'Dragonfly is not supported: it refuses scripts that build names of keys',
    };
  if (engine !== 'redis' || version === null) return undefined;
  if (isBefore(version, OLDEST))
    return {
      ...{ about, level: 'fault', remedy: INSTALL },
      text: `Redis ${version} is too old: it lacks commands that the queue needs (${OLDEST.join('.')} has them)`,
    };
  if (!isBefore(version, ADVISED)) return undefined;
  return {
    ...{ about, level: 'warning', remedy: INSTALL },
    text: `Redis ${version} does not let the worker drain the queue while its memory is full`,
  };
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [own = 0, ownMinor = 0] = version.split('.').map(Number);
  return own < major || (own === major && ownMinor < minor);
}

/** Only volatile policies spare the jobs, which have no time to live. */
function evictionFault(policy: string | null, isLimited: boolean): RedisFault | undefined {
  if (policy === null || policy === 'noeviction') return undefined;
  const isVolatile = policy.startsWith('volatile');
  const what = isVolatile
    ? "deletes keys that expire, such as locks of jobs, the rate limit's window, idempotency keys and the records of requests"
    : 'deletes any key, queued associations too';
  const unless = isLimited ? '' : ' (maxmemory is 0, so it is never full unless its provider limits it)';
  return {
    about: 'eviction',
    level: isVolatile || !isLimited ? 'warning' : 'fault',
    text: `maxmemory-policy is ${policy}: a full Redis ${what}${unless}`,
    remedy: 'set maxmemory-policy to noeviction',
  };
}

/** INFO has the append-only file, and of snapshots only whether some were taken. */
function persistenceOf(fields: Fields, save: string | undefined): Persistence {
  const appends = fields.get('aof_enabled');
  if (appends === '1') return 'aof';
  if (appends === undefined || isLogged(fields)) return 'unknown';
  if (save !== undefined) return save === '' ? 'none' : 'rdb';
  const figure = (name: string) => Number(fields.get(name) ?? Number.NaN);
  if (figure('rdb_last_bgsave_time_sec') >= 0 || figure('rdb_saves') > 0) return 'rdb';
  // the time of the start counts as a save
  const unsavedSeconds = figure('server_time_usec') / 1e6 - figure('rdb_last_save_time');
  const isUnsaved = figure('rdb_changes_since_last_save') > 0 && unsavedSeconds > UNSAVED_SECONDS;
  return isUnsaved ? 'none' : 'unknown';
}

/** Amazon MemoryDB keeps every write in a log of its own, whatever INFO says of files. */
const isLogged = (fields: Fields): boolean => fields.get('os')?.includes('MemoryDB') ?? false;

function persistenceFault(
  persistence: Persistence,
  fields: Fields,
  save: string | undefined,
): RedisFault | undefined {
  const about = 'persistence';
  const failed = fields.get('rdb_last_bgsave_status') === 'err' ? ', and the latest one failed' : '';
  switch (persistence) {
    case 'aof':
      if (fields.get('aof_last_write_status') !== 'err') return undefined;
      return {
        ...{ about, level: 'fault', remedy: 'look at the log and the disk of Redis' },
        text: 'Redis cannot write its append-only file',
      };
    case 'none': {
      const isReplicated = Number(fields.get('connected_slaves') ?? 0) > 0;
      return {
        ...{ about, remedy: APPEND, level: isReplicated ? 'warning' : 'fault' },
        text: `Redis writes nothing to disk: a restart loses the queue${isReplicated ? ', unless a replica takes over' : ''}`,
      };
    }
    case 'rdb':
      return {
        ...{ about, level: 'warning', remedy: APPEND },
        text: `Redis takes snapshots only${save ? ` (save ${save})` : ''}${failed}: a crash loses what came after the last one`,
      };
    case 'unknown':
      if (isLogged(fields) || !fields.has('aof_enabled')) return undefined;
      return {
        ...{ about, level: 'warning', remedy: APPEND },
        text: `Redis has no append-only file: a crash loses what came after its last snapshot, or the queue if it takes none${failed}`,
      };
  }
}
