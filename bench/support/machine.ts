/** Describes the machine and the versions of the measurement. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { Redis } from 'ioredis';
import { packageJsonOf } from './paths.js';
import { postgresVersion } from './postgres.js';

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(packageJsonOf(name), 'utf8')) as { version: string }).version;

export type Machine = readonly (readonly [name: string, value: string])[];

export async function machine(redisUrl: string): Promise<Machine> {
  const redis = new Redis(redisUrl);
  const info = await redis.info();
  redis.disconnect();
  const field = (name: string) => new RegExp(`^${name}:(.*)\\r$`, 'm').exec(info)?.[1];
  const cores = cpus();
  return [
    ['date', new Date().toISOString()],
    ['machine', `${cores.length} × ${cores[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${type()} ${release()}`],
    [
      'load before (1, 5, 15 min)',
      loadavg()
        .map(load => load.toFixed(2))
        .join(', '),
    ],
    ['node', process.version],
    [
      'redis',
      `${field('redis_version')} (${field('mem_allocator')}, appendonly ${field('aof_enabled') === '1' ? 'yes' : 'no'})`,
    ],
    ['postgres', `${postgresVersion() ?? 'not installed when this began'} (fsync off)`],
    ...['bullmq', 'ioredis', 'axios', 'p-limit', '@hubspot/api-client', 'pg-boss'].map(
      name => [name, versionOf(name)] as const,
    ),
  ];
}
