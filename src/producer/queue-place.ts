/** Where the queue of a producer is: what its options say, else the environment, as for the commands. Pure. */
import type { RedisOptions } from 'ioredis';
import { redisUrlFault } from '../shared/runtime/redis-url.js';
import { SETTINGS } from '../shared/runtime/settings.js';
import type { ProducerOptions } from './api.js';

type Environment = Readonly<Record<string, string | undefined>>;
export type QueuePlace = {
  readonly address: string | RedisOptions;
  readonly prefix: string;
  /** without passwords */
  readonly problems: readonly string[];
};

export function queuePlace(
  { redisUrl, connection, prefix }: Pick<ProducerOptions, 'redisUrl' | 'connection' | 'prefix'>,
  env: Environment,
): QueuePlace {
  const problems: string[] = [];
  const { redisUrl: urlSetting, queuePrefix: prefixSetting } = SETTINGS;
  let address: string | RedisOptions;
  if (connection === undefined) {
    address = redisUrl ?? given(env, urlSetting.name) ?? urlSetting.default;
    const fault = redisUrlFault(address);
    if (fault) problems.push(`${redisUrl === undefined ? urlSetting.name : 'redisUrl'} ${fault}`);
  } else {
    if (redisUrl !== undefined) problems.push('redisUrl and connection are both given: give one');
    const read = readConnection(connection);
    address = typeof read === 'string' ? {} : read;
    if (typeof read === 'string') problems.push(`connection ${read}`);
  }
  const chosen = prefix ?? given(env, prefixSetting.name) ?? prefixSetting.default;
  if (typeof chosen !== 'string' || chosen === '') problems.push('prefix is not a text, or empty');
  return { address, prefix: chosen, problems };
}

/** An empty variable counts as unset. */
const given = (env: Environment, name: string): string | undefined => env[name]?.trim() || undefined;

/**
 * A client lends its options only: the producer opens connections of its own, which fail within seconds while Redis is away
 * and which it may replace (docs/decisions/0052).
 * @returns the options, or the fault
 */
function readConnection(connection: unknown): RedisOptions | string {
  if (typeof connection !== 'object' || connection === null || Array.isArray(connection)) return NEITHER;
  const { isCluster, status, options, duplicate, url, socket } = connection as { [name: string]: unknown };
  if (isCluster === true) return 'is a cluster: give one Redis, or its Sentinels';
  // other libraries' clients have options and duplicate() as well, but no status
  const isClient = typeof duplicate === 'function' && typeof status === 'string';
  if (!isClient && (typeof duplicate === 'function' || socket !== undefined)) return NEITHER;
  if (!isClient && url !== undefined) return 'has a url: give it as redisUrl';
  const read = (isClient ? options : connection) as RedisOptions;
  return read.keyPrefix ? 'has a keyPrefix: the option prefix says what the keys begin with' : read;
}

const NEITHER = 'is neither options nor a client of ioredis: give one of them, or redisUrl';
