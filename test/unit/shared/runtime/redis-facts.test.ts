/** What INFO says of a Redis, and what of it endangers the queue. The texts are those of servers, without fields that nobody reads. */
import { describe, expect, it, test } from '@jest/globals';
import { factsOf, faultText, type ServerFacts } from '../../../../src/shared/runtime/redis-facts.js';

/** A Redis 7.0.15 with `--appendonly yes`. */
const REDIS_7 = `# Server
redis_version:7.0.15
redis_git_sha1:00000000
redis_mode:standalone
os:Linux 6.1.0-18-amd64 x86_64
server_time_usec:1795817428811411
uptime_in_seconds:1

# Memory
used_memory:941496
used_memory_human:919.43K
total_system_memory:25276502016
maxmemory:0
maxmemory_human:0B
maxmemory_policy:noeviction

# Persistence
loading:0
rdb_changes_since_last_save:0
rdb_last_save_time:1795817427
rdb_last_bgsave_status:ok
rdb_last_bgsave_time_sec:-1
rdb_saves:0
aof_enabled:1
aof_last_write_status:ok

# Stats
evicted_keys:0

# Replication
role:master
connected_slaves:0
`.replaceAll('\n', '\r\n');

const VALKEY_8 = `# Server
redis_version:7.2.4
server_name:valkey
valkey_version:8.0.1
server_mode:standalone
os:Linux 5.14.0-503.14.1.el9_5.x86_64 x86_64
listener0:name=tcp,bind=127.0.0.1,bind=-::1,port=6379
server_time_usec:1732878357613568

# Memory
used_memory:932664
total_system_memory:66829012992
maxmemory:0
maxmemory_policy:noeviction

# Persistence
rdb_changes_since_last_save:0
rdb_last_save_time:1732878260
rdb_last_bgsave_status:ok
rdb_last_bgsave_time_sec:-1
rdb_saves:0
aof_enabled:0
aof_last_write_status:ok
`.replaceAll('\n', '\r\n');

/** A managed Redis 6.2: CONFIG is forbidden, there is a policy of eviction, and no snapshot was ever taken. */
const MANAGED_6_2 = `# Server
redis_version:6.2.6
redis_git_sha1:0
redis_mode:standalone
os:Amazon ElastiCache
server_time_usec:1646750098433922
uptime_in_seconds:91922

# Memory
used_memory:25535552
maxmemory:2596012032
maxmemory_policy:volatile-lru

# Persistence
loading:0
rdb_changes_since_last_save:85712
rdb_last_save_time:1646658176
rdb_last_bgsave_status:ok
rdb_last_bgsave_time_sec:-1
aof_enabled:0

# Stats
evicted_keys:37

# Replication
role:master
connected_slaves:0
`.replaceAll('\n', '\r\n');

const set = (info: string, fields: Readonly<Record<string, string>>) =>
  Object.entries(fields).reduce(
    (text, [name, value]) => text.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}:${value}`),
    info,
  );
const about = ({ faults }: ServerFacts, what: string) => faults.find(fault => fault.about === what);

describe('INFO of', () => {
  it('a Redis as it should be', () => {
    expect(factsOf(REDIS_7)).toEqual({
      ...{ engine: 'redis', name: 'Redis', version: '7.0.15', policy: 'noeviction', evicts: false },
      ...{ evictedKeys: 0, usedBytes: 941_496, maxBytes: 0, machineBytes: 25_276_502_016 },
      ...{ persistence: 'aof', faults: [] },
    });
  });

  it('a Valkey, whose redis_version is not its own', () => {
    const facts = factsOf(VALKEY_8, '3600 1 300 100');
    expect(facts).toMatchObject({ engine: 'valkey', name: 'Valkey', version: '8.0.1', persistence: 'rdb' });
    expect(facts.faults.map(({ about: what, level }) => [what, level])).toEqual([['persistence', 'warning']]);
  });

  it('a managed Redis with the defaults of its provider', () => {
    const facts = factsOf(MANAGED_6_2);
    expect(facts).toMatchObject({ version: '6.2.6', policy: 'volatile-lru', evicts: true, evictedKeys: 37 });
    expect(facts.faults.map(({ about: what, level }) => [what, level])).toEqual([
      ['version', 'warning'],
      ['eviction', 'warning'],
      ['persistence', 'fault'],
    ]);
  });

  it('a Dragonfly', () => {
    const facts = factsOf('redis_version:7.4.0\r\ndragonfly_version:df-v1.40.1\r\n');
    expect(facts).toMatchObject({ engine: 'dragonfly', name: 'Dragonfly', version: '1.40.1' });
    expect(about(facts, 'version')?.text).toMatch(/^Dragonfly is not supported/);
  });

  it('a node of a cluster, which a connection for clusters expects', () => {
    const info = `${REDIS_7}cluster_enabled:1\r\n`;
    expect(about(factsOf(info), 'cluster')).toMatchObject({ level: 'fault' });
    expect(about(factsOf(info, undefined, true), 'cluster')).toBeUndefined();
  });

  it('a server that tells nothing of this', () => {
    expect(factsOf('# Server\r\nuptime_in_seconds:3\r\n')).toEqual({
      ...{ engine: 'other', name: 'Redis', version: null, policy: null, evicts: null, evictedKeys: 0 },
      ...{ usedBytes: null, maxBytes: null, machineBytes: null, persistence: 'unknown', faults: [] },
    });
  });
});

test.each([
  ['5.0.14', 'fault'],
  ['6.0.16', 'fault'],
  ['6.2.0', 'warning'],
  ['6.2.14', 'warning'],
  ['7.0.0', undefined],
  ['8.10.1', undefined],
  ['10.0.0', undefined],
])('version %s: %s', (version, level) =>
  expect(about(factsOf(set(REDIS_7, { redis_version: version })), 'version')?.level).toBe(level),
);

describe('a full Redis', () => {
  const evicting = (policy: string, maxmemory = '100') => {
    const facts = factsOf(set(REDIS_7, { maxmemory_policy: policy, maxmemory }));
    return { evicts: facts.evicts, fault: about(facts, 'eviction') };
  };

  it('deletes queued associations under any policy that is neither noeviction nor volatile', () => {
    const { evicts, fault } = evicting('allkeys-lru');
    expect(evicts).toBe(true);
    expect(fault && faultText(fault)).toBe(
      'maxmemory-policy is allkeys-lru: a full Redis deletes any key, queued associations too; set maxmemory-policy to noeviction',
    );
    expect(fault?.level).toBe('fault');
    expect(evicting('of-the-future').fault?.text).toMatch(/queued associations too$/);
  });

  it('deletes keys that expire under a volatile policy', () => {
    const { evicts, fault } = evicting('volatile-ttl');
    expect(evicts).toBe(true);
    expect(fault).toMatchObject({ level: 'warning', text: expect.stringMatching(/locks of jobs/) });
    expect(fault?.text).not.toMatch(/queued associations/);
  });

  it('is none without a limit, as far as it knows', () => {
    const { evicts, fault } = evicting('allkeys-lru', '0');
    expect(evicts).toBe(false);
    expect(fault).toMatchObject({ level: 'warning', text: expect.stringMatching(/maxmemory is 0/) });
    const limited = factsOf(
      set(REDIS_7, { maxmemory_policy: 'allkeys-lru', maxmemory: '0', evicted_keys: '1' }),
    );
    expect(limited.evicts).toBe(true);
    expect(about(limited, 'eviction')?.level).toBe('fault');
  });
});

describe('what survives a restart', () => {
  type Case = [string, Record<string, string>, string | undefined, string, string | undefined];
  const off = { aof_enabled: '0' };
  const hour = { rdb_last_save_time: String(1795817428 - 3_600) };
  const day = { rdb_last_save_time: String(1795817428 - 86_400), rdb_changes_since_last_save: '1' };
  const cases: Case[] = [
    ['an append-only file', {}, undefined, 'aof', undefined],
    ['one that cannot be written', { aof_last_write_status: 'err' }, undefined, 'aof', 'fault'],
    ['nothing, as CONFIG says', off, '', 'none', 'fault'],
    ['nothing, but a replica may', { ...off, connected_slaves: '1' }, '', 'none', 'warning'],
    ['snapshots, as CONFIG says', off, '3600 1', 'rdb', 'warning'],
    ['snapshots: one was taken', { ...off, rdb_last_bgsave_time_sec: '0' }, undefined, 'rdb', 'warning'],
    ['nobody knows, of a young Redis', off, undefined, 'unknown', 'warning'],
    ['nobody knows, within the hour', { ...off, ...hour }, undefined, 'unknown', 'warning'],
    ['nothing: unsaved for a day', { ...off, ...day }, undefined, 'none', 'fault'],
    ['a log of MemoryDB', { ...off, ...day, os: 'Amazon MemoryDB' }, undefined, 'unknown', undefined],
  ];

  it.each(cases)('%s', (_name, fields, save, persistence, level) => {
    const facts = factsOf(set(REDIS_7, fields), save);
    expect([facts.persistence, about(facts, 'persistence')?.level]).toEqual([persistence, level]);
  });

  it('does not hide that the latest snapshot failed', () => {
    const facts = factsOf(set(REDIS_7, { ...off, rdb_last_bgsave_status: 'err' }), '60 1');
    expect(about(facts, 'persistence')?.text).toBe(
      'Redis takes snapshots only (save 60 1), and the latest one failed: a crash loses what came after the last one',
    );
  });
});
